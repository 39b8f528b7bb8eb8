_base_ = '../baseline/resnet18_w16_digits.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
