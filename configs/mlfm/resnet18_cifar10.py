_base_ = '../baseline/resnet18_cifar10.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
