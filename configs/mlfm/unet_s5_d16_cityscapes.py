_base_ = '../baseline/unet_s5_d16_cityscapes.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
