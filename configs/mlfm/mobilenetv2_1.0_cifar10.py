_base_ = '../baseline/mobilenetv2_1.0_cifar10.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
