_base_ = [
    '../_base_/models/inceptionnext_in100.py',
    '../_base_/datasets/in100_224_randaug.py',
    '../_base_/schedules/convnext_in100.py',
    'mmpretrain::_base_/default_runtime.py',
]
