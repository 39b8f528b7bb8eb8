_base_ = [
    '../_base_/models/mobilenetv2_in100.py',
    '../_base_/datasets/in100_256_crop875.py',
    '../_base_/schedules/mobilenetv2_in100.py',
    'mmpretrain::_base_/default_runtime.py',
]

model = dict(backbone=dict(widen_factor=0.35))
