# mmpretrain's own recipe: 8 GPUs with 32 images each.
_base_ = [
    'mmpretrain::resnet/resnet50_8xb32_in1k.py',
    '../_base_/check_data.py',
]
