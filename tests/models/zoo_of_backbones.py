"""Every backbone of the hosts: a small one of each class.

The list is data for two readers: the tests, which run each of these, and the
sweep in ``.dev_scripts``, which notes what MLFMNeck makes of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope
from torch import nn

# Strides that halve: an image that they divide, and one that they do not.
SIZES = (64, 75)
UNSHOWN = ('type', 'model_name')


@dataclass(frozen=True)
class Listed:
    """A backbone of a host.

    Args:
        host (str): The library that registers it.
        cfg (dict): Its config; ``type`` is the registered name.
    """

    host: str
    cfg: dict[str, Any]


@dataclass(frozen=True)
class Served(Listed):
    """A backbone that MLFMNeck serves.

    Args:
        sizes (tuple[int, ...]): Sizes in pixels to run it at.
            Defaults to (64, 75).
        note (str): What a reader of the table should know. Defaults to ''.
    """

    sizes: tuple[int, ...] = SIZES
    note: str = ''


def build(entry: Listed) -> nn.Module:
    """Build a listed backbone in its host's scope.

    Args:
        entry (Listed): The backbone.

    Returns:
        nn.Module: A fresh one.
    """
    with DefaultScope.overwrite_default_scope(entry.host):
        kind = f'{entry.host}.{entry.cfg["type"]}'
        return ROOT_MODELS.build({**entry.cfg, 'type': kind})


def title(entry: Listed) -> str:
    """Name a listed backbone, for tests and tables.

    For timm's, the name of the model belongs to it.

    Example:
        >>> title(Served('mmpretrain', dict(type='ResNet', depth=18)))
        'ResNet'
        >>> title(Served('mmseg', dict(type='TIMMBackbone', model_name='x')))
        'TIMMBackbone x'
    """
    model = entry.cfg.get('model_name')
    plain = model and not entry.cfg.get('features_only', entry.host == 'mmseg')
    parts = [entry.cfg['type'], model or '', 'plain' if plain else '']
    return ' '.join(part for part in parts if part)


def named(entry: Listed) -> str:
    """Name a listed backbone and the plain ones of its options.

    Example:
        >>> named(Served('mmpretrain', dict(type='ResNet', depth=18)))
        'ResNet depth=18'
    """
    # The numbers of lists and dictionaries would only make the table wide.
    options = [
        f'{key}={value!r}'
        for key, value in entry.cfg.items()
        if key not in UNSHOWN and isinstance(value, (bool, int, str))
    ]
    return ' '.join([title(entry), *options])


# ---- mmpretrain -----------------------------------------------------------

# These multiply the sizes of branches, so each stride must divide the image.
DIVIDED = (64, 96)
# These take images of one size.
FIXED = 'one image size'
LAST = 'maps (N, H, W, C)'


def _cls(sizes: tuple[int, ...] = SIZES, note: str = '', **cfg: Any) -> Served:
    return Served('mmpretrain', cfg, sizes, note)


def _seg(sizes: tuple[int, ...] = SIZES, note: str = '', **cfg: Any) -> Served:
    return Served('mmseg', cfg, sizes, note)


_REPLK: dict[str, Any] = dict(
    large_kernel_sizes=[13, 11, 9, 7],
    layers=[2, 2, 2, 2],
    channels=[16, 32, 64, 128],
    small_kernel=5,
    dw_ratio=1,
)
_REPMLP: dict[str, Any] = dict(
    channels=[16, 32, 64, 128],
    depths=[1, 1, 2, 1],
    sharesets_nums=[1, 4, 16, 32],
)
_CONVMIXER: dict[str, Any] = dict(
    embed_dims=64, depth=4, patch_size=7, kernel_size=5
)

CLASSIFIERS = [
    _cls(type='AlexNet', sizes=(96, 107)),
    _cls(
        type='ConvMixer',
        arch=_CONVMIXER,
        note='keeps one resolution: taps at its stem and at its end',
    ),
    _cls(type='ConvNeXt', arch='atto'),
    _cls(type='CSPDarkNet', depth=53),
    _cls(type='CSPResNet', depth=50),
    _cls(type='CSPResNeXt', depth=50),
    _cls(type='DenseNet', arch='121'),
    _cls(type='EdgeNeXt', arch='xxsmall'),
    _cls(type='EfficientNet', arch='b0'),
    _cls(type='EfficientNetV2', arch='b0'),
    _cls(type='HorNet', arch='tiny'),
    _cls(
        type='HRNet',
        arch='w18',
        sizes=DIVIDED,
        note='the activation of its stem at stride 2 is used twice',
    ),
    _cls(type='InceptionV3', num_classes=10, sizes=(128, 139)),
    _cls(type='LeNet5', sizes=(96, 107)),
    _cls(type='MobileNetV2'),
    _cls(type='MobileNetV3', arch='small'),
    _cls(type='MobileOne', arch='s0'),
    _cls(type='MobileViT', arch='xx_small'),
    _cls(type='PoolFormer', arch='s12'),
    _cls(type='PyramidVig', arch='tiny', sizes=(224,), note=FIXED),
    _cls(type='RegNet', arch='regnetx_400mf'),
    _cls(type='RepLKNet', arch=_REPLK),
    _cls(
        type='RepMLPNet', arch=_REPMLP, img_size=224, sizes=(224,), note=FIXED
    ),
    _cls(type='RepVGG', arch='A0'),
    _cls(type='Res2Net', depth=50),
    _cls(type='ResNeSt', depth=50),
    _cls(type='ResNet', depth=18),
    _cls(type='ResNet_CIFAR', depth=18, sizes=(32, 45)),
    _cls(type='ResNetV1c', depth=18),
    _cls(type='ResNetV1d', depth=18),
    _cls(type='ResNeXt', depth=50),
    _cls(type='RIFormer', arch='s12'),
    _cls(type='SEResNet', depth=50),
    _cls(type='SEResNeXt', depth=50),
    _cls(type='ShuffleNetV1'),
    _cls(type='ShuffleNetV2'),
    _cls(type='VAN', arch='tiny'),
    _cls(type='VGG', depth=11),
    _cls(type='Vig', arch='tiny', sizes=(224,), note=FIXED),
    _cls(type='TIMMBackbone', model_name='resnet18'),
    _cls(type='TIMMBackbone', model_name='convnext_atto'),
    _cls(type='TIMMBackbone', model_name='convnext_atto', features_only=True),
    _cls(
        type='TIMMBackbone',
        model_name='inception_next_atto',
        features_only=True,
    ),
    _cls(type='TIMMBackbone', model_name='mobilenetv3_small_050'),
    _cls(
        type='TIMMBackbone',
        model_name='mambaout_femto',
        features_only=True,
        note=LAST,
    ),
    _cls(
        type='TIMMBackbone',
        model_name='swin_tiny_patch4_window7_224',
        features_only=True,
        sizes=(224,),
        note=f'{LAST}; {FIXED}',
    ),
]

# ---- mmseg ----------------------------------------------------------------

_RESNET18: dict[str, Any] = dict(type='ResNet', depth=18)
_STDC: dict[str, Any] = dict(
    type='STDCNet',
    stdc_type='STDCNet1',
    in_channels=3,
    channels=(16, 32, 64, 128, 256),
    bottleneck_type='cat',
    num_convs=4,
    norm_cfg=dict(type='BN'),
    act_cfg=dict(type='ReLU'),
    with_final_conv=False,
)
_HRNET: dict[str, Any] = dict(
    stage1=dict(
        num_modules=1,
        num_branches=1,
        block='BOTTLENECK',
        num_blocks=(2,),
        num_channels=(64,),
    ),
    stage2=dict(
        num_modules=1,
        num_branches=2,
        block='BASIC',
        num_blocks=(2, 2),
        num_channels=(18, 36),
    ),
    stage3=dict(
        num_modules=3,
        num_branches=3,
        block='BASIC',
        num_blocks=(2, 2, 2),
        num_channels=(18, 36, 72),
    ),
    stage4=dict(
        num_modules=2,
        num_branches=4,
        block='BASIC',
        num_blocks=(2, 2, 2, 2),
        num_channels=(18, 36, 72, 144),
    ),
)
_ICNET: dict[str, Any] = dict(
    backbone_cfg=dict(
        type='ResNetV1c',
        depth=18,
        dilations=(1, 1, 2, 4),
        strides=(1, 2, 1, 1),
    ),
    layer_channels=(128, 512),
    light_branch_middle_channels=16,
    psp_out_channels=64,
    out_channels=(32, 64, 64),
)
# Down to stride 64; two maps of stride 8 are added as they are.
_DEEP = (128, 152)

SEGMENTORS = [
    _seg(type='BiSeNetV1', backbone_cfg=_RESNET18, note='the context path'),
    _seg(type='BiSeNetV2', note='the semantic branch'),
    _seg(type='CGNet'),
    _seg(type='DDRNet', sizes=_DEEP, note='the context branch'),
    _seg(type='ERFNet'),
    _seg(type='FastSCNN', note='the branch of global features'),
    _seg(
        type='HRNet',
        extra=_HRNET,
        sizes=DIVIDED,
        note='the activation of its stem at stride 2 is used twice',
    ),
    _seg(
        type='ICNet',
        sizes=_DEEP,
        note='the branch of low resolution',
        **_ICNET,
    ),
    _seg(type='MobileNetV2'),
    _seg(type='MobileNetV3', arch='small'),
    _seg(type='PIDNet', channels=32, sizes=_DEEP, note='the I branch'),
    _seg(type='ResNeSt', depth=50),
    _seg(type='ResNet', depth=18),
    _seg(type='ResNetV1c', depth=18),
    _seg(type='ResNetV1d', depth=18),
    _seg(type='ResNeXt', depth=50),
    _seg(
        type='STDCContextPathNet',
        backbone_cfg=_STDC,
        last_in_channels=(256, 128),
        ffm_cfg=dict(in_channels=192, out_channels=64, scale_factor=4),
    ),
    _seg(**_STDC),
    _seg(type='TIMMBackbone', model_name='resnet18', pretrained=False),
    _seg(type='UNet', base_channels=16, sizes=(64, 80)),
]

SERVED = CLASSIFIERS + SEGMENTORS
