_base_ = [
    '../_base_/models/senet_in100.py',
    '../_base_/datasets/in100_256.py',
    '../_base_/schedules/senet_in100.py',
    'mmpretrain::_base_/default_runtime.py',
]
