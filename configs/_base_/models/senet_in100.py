_base_ = 'resnet_in100.py'

model = dict(backbone=dict(type='mlfm_mm.ShallowSEResNet'))
