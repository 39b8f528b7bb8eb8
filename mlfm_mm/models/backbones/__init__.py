"""Backbones that mmpretrain lacks; those of the paper need mmpretrain."""

from importlib.util import find_spec

from .torchvision_backbone import TorchvisionBackbone

__all__ = ['TorchvisionBackbone']

if find_spec('mmpretrain') is not None:
    from .inception_next import InceptionNeXt
    from .inception_next_head import InceptionNeXtHead
    from .lean_convnext import LeanConvNeXt
    from .mobilenet_v2_cifar import MobileNetV2_CIFAR
    from .regnet_y import RegNetY
    from .shallow_resnet import ShallowResNet
    from .shallow_se_resnet import ShallowSEResNet
    from .thin_mobilenet_v2 import ThinMobileNetV2

    __all__ += [
        'InceptionNeXt',
        'InceptionNeXtHead',
        'LeanConvNeXt',
        'MobileNetV2_CIFAR',
        'RegNetY',
        'ShallowResNet',
        'ShallowSEResNet',
        'ThinMobileNetV2',
    ]
