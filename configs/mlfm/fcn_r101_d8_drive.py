_base_ = '../baseline/fcn_r101_d8_drive.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
