_base_ = '../baseline/fcn_r101_d32_camvid.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
