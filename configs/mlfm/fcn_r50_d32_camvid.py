_base_ = '../baseline/fcn_r50_d32_camvid.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
