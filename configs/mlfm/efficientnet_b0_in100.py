_base_ = '../baseline/efficientnet_b0_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
