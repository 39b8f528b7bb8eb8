_base_ = '../baseline/efficientnet_b4_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
