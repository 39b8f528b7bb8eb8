_base_ = '../baseline/unet_s5_d16_voc12aug.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
