_base_ = '../mlfm/unet_s5_d16_camvid.py'

model = dict(neck=dict(taps='stages'))
