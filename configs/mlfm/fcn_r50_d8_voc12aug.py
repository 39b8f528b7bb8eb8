_base_ = '../baseline/fcn_r50_d8_voc12aug.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
