_base_ = '../baseline/unet_s5_d16_ade20k.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
