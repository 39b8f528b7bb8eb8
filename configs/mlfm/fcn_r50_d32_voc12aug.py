_base_ = '../baseline/fcn_r50_d32_voc12aug.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
