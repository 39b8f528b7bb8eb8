# Not published: mmpretrain's recipe of EfficientNet for ImageNet-1k.
_base_ = 'mmpretrain::_base_/schedules/imagenet_bs256.py'
