_base_ = [
    '../_base_/models/convnext_in100.py',
    '../_base_/datasets/in100_224_randaug.py',
    '../_base_/schedules/convnext_in100.py',
    'mmpretrain::_base_/default_runtime.py',
]

model = dict(backbone=dict(type='mlfm_mm.LeanConvNeXt', kernel_size=5))
