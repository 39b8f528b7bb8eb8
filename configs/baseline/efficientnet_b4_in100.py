_base_ = [
    '../_base_/models/efficientnet_in100.py',
    '../_base_/datasets/in100_380_efficientnet.py',
    '../_base_/schedules/efficientnet_in100.py',
    'mmpretrain::_base_/default_runtime.py',
]

model = dict(backbone=dict(arch='b4'), head=dict(in_channels=1792))
