_base_ = '../baseline/fcn_r18_d32_ade20k.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
