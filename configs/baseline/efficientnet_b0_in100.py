_base_ = [
    '../_base_/models/efficientnet_in100.py',
    '../_base_/datasets/in100_224_efficientnet.py',
    '../_base_/schedules/efficientnet_in100.py',
    'mmpretrain::_base_/default_runtime.py',
]
