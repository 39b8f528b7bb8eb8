_base_ = '../mlfm/resnet18_w8_textured_digits.py'

model = dict(neck=dict(taps='stages'))
