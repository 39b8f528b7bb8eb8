"""The backbones of the hosts that MLFMNeck refuses, each with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .zoo_of_backbones import Listed

TOKENS = 'passes tokens (N, L, C)'
TRANSFORMER = 'a transformer: it passes tokens, not feature maps'
HYBRID = 'half a transformer: it also passes tokens between its stages'
MLP = 'an MLP: it passes tokens, not feature maps'
MASKED = 'runs only inside SparK, which gives it a mask'


@dataclass(frozen=True)
class Refused(Listed):
    """A backbone that MLFMNeck refuses.

    Args:
        message (str): A part of the error's message.
        reason (str): Why, in the words of the table.
    """

    message: str
    reason: str


# What mmpretrain's T2T-ViT and mmseg's pyramids cannot do without.
_T2T: dict[str, Any] = dict(
    t2t_cfg=dict(token_dims=64, use_performer=False),
    num_layers=1,
    layer_cfgs=dict(num_heads=6, feedforward_channels=384),
)
_PYRAMID: dict[str, Any] = dict(
    embed_dims=[32, 64, 128, 256],
    num_heads=[1, 2, 4, 8],
    mlp_ratios=[2, 2, 2, 2],
    depths=[1, 1, 1, 1],
    sr_ratios=[8, 4, 2, 1],
)


def _cls(reason: str, message: str = TOKENS, **cfg: Any) -> Refused:
    return Refused('mmpretrain', cfg, message, reason)


def _seg(reason: str, message: str = TOKENS, **cfg: Any) -> Refused:
    return Refused('mmseg', cfg, message, reason)


CLASSIFIERS = [
    _cls(TRANSFORMER, type='BEiTViT', arch='deit-t'),
    _cls(HYBRID, type='Conformer', arch='tiny'),
    _cls(TRANSFORMER, type='DaViT', arch='t'),
    _cls(TRANSFORMER, type='DeiT3', arch='s'),
    _cls(TRANSFORMER, type='DistilledVisionTransformer', arch='deit-t'),
    _cls(HYBRID, type='EfficientFormer', arch='l1'),
    _cls(TRANSFORMER, type='HiViT', arch='tiny'),
    _cls(HYBRID, type='LeViT', arch='128s'),
    _cls(TRANSFORMER, type='MixMIMTransformer', arch='base'),
    _cls(MLP, type='MlpMixer', arch='b'),
    _cls(TRANSFORMER, type='MViT', arch='tiny'),
    _cls(TRANSFORMER, type='PCPVT', arch='small'),
    _cls(TRANSFORMER, type='RevVisionTransformer', arch='deit-t'),
    _cls(MASKED, 'it failed', type='SparseConvNeXt', arch='small'),
    _cls(MASKED, 'it failed', type='SparseResNet', depth=50),
    _cls(TRANSFORMER, type='SVT', arch='small'),
    _cls(TRANSFORMER, type='SwinTransformer', arch='tiny'),
    _cls(TRANSFORMER, type='SwinTransformerV2', arch='tiny'),
    _cls(TRANSFORMER, 'has no convolution', type='T2T_ViT', **_T2T),
    _cls(HYBRID, type='TinyViT', arch='5m'),
    _cls(TRANSFORMER, type='TNT', arch='s'),
    _cls(TRANSFORMER, type='VisionTransformer', arch='deit-t'),
    _cls(TRANSFORMER, type='ViTEVA02', arch='t'),
    _cls(TRANSFORMER, type='ViTSAM', arch='b'),
    _cls(
        TRANSFORMER,
        type='XCiT',
        patch_size=16,
        depth=1,
        embed_dims=64,
        num_heads=4,
    ),
    _cls(TRANSFORMER, type='TIMMBackbone', model_name='vit_tiny_patch16_224'),
]

SEGMENTORS = [
    _seg(TRANSFORMER, type='BEiT', num_layers=1),
    _seg(TRANSFORMER, type='MAE', num_layers=1),
    _seg(TRANSFORMER, type='MixVisionTransformer'),
    _seg(
        'passes tokens between its modules; list the maps inside its blocks, '
        'such as `block1.2.attn`, in `taps`',
        type='MSCAN',
        norm_cfg=dict(type='BN'),
    ),
    _seg(TRANSFORMER, type='PCPVT', **_PYRAMID),
    _seg(TRANSFORMER, type='SVT', windiow_sizes=[7, 7, 7, 7], **_PYRAMID),
    _seg(TRANSFORMER, type='SwinTransformer'),
    _seg(TRANSFORMER, type='VisionTransformer', num_layers=1),
]

REFUSED = CLASSIFIERS + SEGMENTORS

# What else the hosts keep among their backbones.
NOT_LISTED = {
    'mmpretrain': {},
    'mmseg': {
        'DeconvModule': 'a part of UNet',
        'InterpConv': 'a part of UNet',
        'VPD': 'a diffusion model that needs packages and weights to build',
    },
}
