_base_ = '../baseline/resnet18_cifar100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
