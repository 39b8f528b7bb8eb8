_base_ = '../baseline/fcn_r101_d8_camvid.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
