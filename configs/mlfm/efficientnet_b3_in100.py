_base_ = '../baseline/efficientnet_b3_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
