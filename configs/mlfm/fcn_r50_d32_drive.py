_base_ = '../baseline/fcn_r50_d32_drive.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
