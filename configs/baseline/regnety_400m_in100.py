_base_ = [
    '../_base_/models/regnet_in100.py',
    '../_base_/datasets/in100_256.py',
    '../_base_/schedules/regnet_in100.py',
    'mmpretrain::_base_/default_runtime.py',
]

model = dict(
    backbone=dict(type='mlfm_mm.RegNetY', arch='regnety_400mf'),
    head=dict(in_channels=440),
)
