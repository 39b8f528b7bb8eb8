_base_ = '../baseline/unet_w8_camvid.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
