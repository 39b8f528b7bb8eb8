_base_ = '../baseline/resnet18_w8_textured_digits.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
