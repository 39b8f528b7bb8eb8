_base_ = '../baseline/fcn_r18_d32_cityscapes.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
