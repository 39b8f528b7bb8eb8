"""Small models that the tests of the neck share."""

from typing import Any

import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS as CLS
from torch import Tensor, nn

# All that changes what a unit computes.
UNIT_OPTIONS = [
    dict(),
    dict(update='concat'),
    dict(supplement=False),
    dict(identity_init=True),
    dict(identity_init=True, update='concat'),
]
HEAD = dict(type='mmpretrain.LinearClsHead', num_classes=10)


def classifier(
    backbone: dict | nn.Module | None = None,
    channels: int = 512,
    neck: Any = None,
    **options: Any,
) -> nn.Module:
    """An ImageClassifier with MLFM (``options``), or with another neck."""
    if backbone is None:
        backbone = dict(type='mmpretrain.ResNet', depth=18)
    if neck is None:
        neck = dict(type='mlfm_mm.MLFMNeck', **options)
    cfg = dict(
        type='mmpretrain.ImageClassifier',
        backbone=backbone,
        neck=neck,
        head=dict(HEAD, in_channels=channels),
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return CLS.build(cfg)


def plain_classifier() -> nn.Module:
    """The ResNet-18 that MLFM is added to, without it."""
    return classifier(neck=dict(type='mmpretrain.GlobalAveragePooling'))


def segmentor(backbone: dict, neck: Any, **head: Any) -> nn.Module:
    """An mmseg EncoderDecoder with an FCN head."""
    # Not above: the other tests of the models need no mmseg.
    from mmseg.registry import MODELS as SEG

    cfg = dict(
        type='mmseg.EncoderDecoder',
        backbone=backbone,
        neck=neck,
        decode_head=dict(
            type='mmseg.FCNHead', channels=8, num_classes=3, **head
        ),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )
    with DefaultScope.overwrite_default_scope('mmseg'):
        return SEG.build(cfg)


def shaken(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every norm statistics and weights that matter."""
    generator = torch.Generator().manual_seed(seed)

    def noise(like: Tensor, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(
            like.shape, generator=generator, dtype=like.dtype
        )

    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data = noise(module.weight, 0.5, 1.5)
            module.bias.data = noise(module.bias, -0.5, 0.5)
            module.running_mean = noise(module.running_mean, -0.5, 0.5)
            module.running_var = noise(module.running_var, 0.5, 1.5)
    return model


class ToyBackbone(nn.Module):
    """Three stages of strides 2, 4 and 8, of which all parts are containers.

    Args:
        in_channels (int): Channels of the image.
    """

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        widths = (in_channels, 4, 6, 8)
        for i in range(3):
            stage = nn.Sequential(
                nn.Conv2d(widths[i], widths[i + 1], 3, 2, 1, bias=False),
                nn.BatchNorm2d(widths[i + 1]),
                nn.ReLU(inplace=True),
            )
            self.add_module(f'stage{i}', stage)
        self.unused = nn.Conv2d(3, 3, 1)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        for i in range(3):
            x = getattr(self, f'stage{i}')(x)
        return (x,)


class ChannelsLast(nn.Sequential):
    """Takes and returns maps (N, H, W, C)."""

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        # What follows may view them otherwise, as windows do.
        return x.contiguous()


class ChannelsLastBackbone(ToyBackbone):
    """The same, passing maps (N, H, W, C) from stage to stage."""

    def __init__(self) -> None:
        super().__init__()
        for i in range(3):
            stage = ChannelsLast(*getattr(self, f'stage{i}'))
            setattr(self, f'stage{i}', stage)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        (x,) = super().forward(x.permute(0, 2, 3, 1))
        return (x.view(len(x), -1, 8).view_as(x),)


class CollectingBackbone(ToyBackbone):
    """Returns what hooks on its parts have seen, as some of timm do."""

    def __init__(self, *collected: str) -> None:
        super().__init__()
        self.collected = collected
        self.maps: dict[str, Tensor] = {}
        for name in collected:
            self.get_submodule(name).register_forward_hook(self.collect)

    def collect(self, module: nn.Module, inputs: tuple, out: Tensor) -> None:
        self.maps[str(id(module))] = out

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        self.maps.clear()
        super().forward(x)
        return tuple(self.maps.values())


class ToyModel(nn.Module):
    """What the neck asks of a parent: a backbone, then a neck."""

    def __init__(self, backbone: nn.Module, neck: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck

    def forward(self, x: Tensor) -> Any:
        return self.neck(self.backbone(x))
