_base_ = '../baseline/fcn_r50_d32_cityscapes.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
