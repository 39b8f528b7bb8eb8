_base_ = [
    '../_base_/models/resnet_in100.py',
    '../_base_/datasets/in100_256.py',
    '../_base_/schedules/resnet_in100.py',
    'mmpretrain::_base_/default_runtime.py',
]

model = dict(backbone=dict(type='mlfm_mm.ShallowResNet', depth=10))
