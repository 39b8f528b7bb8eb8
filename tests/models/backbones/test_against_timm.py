"""The forward passes of the own backbones against timm's networks."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.models import RegNet
from torch import nn

from mlfm_mm.models.backbones import (
    InceptionNeXt,
    InceptionNeXtHead,
    LeanConvNeXt,
    RegNetY,
    ShallowResNet,
    ShallowSEResNet,
)

from .pairing import copy_weights, randomize

timm = pytest.importorskip('timm')

from timm.layers import SEModule  # noqa: E402
from timm.models.convnext import ConvNeXt  # noqa: E402
from timm.models.resnet import BasicBlock, ResNet  # noqa: E402

# timm rounds squeezed channels to multiples of 8, the published network not.
Squeeze = partial(SEModule, rd_ratio=1 / 16, rd_divisor=1)


def regnet_x(w0: int, wa: float, wm: float, group: int, depth: int) -> RegNet:
    arch = dict(w0=w0, wa=wa, wm=wm, group_w=group, depth=depth, bot_mul=1.0)
    return RegNet(arch)


def timm_resnet(layers: tuple[int, ...], se: bool = False) -> nn.Module:
    args = dict(attn_layer=Squeeze) if se else None
    return ResNet(BasicBlock, layers, num_classes=0, block_args=args)


def timm_convnext(kernel_size: int) -> nn.Module:
    return ConvNeXt(num_classes=0, kernel_sizes=kernel_size)


def zoo(name: str) -> nn.Module:
    return timm.create_model(name, num_classes=0)


PAIRS: dict[str, tuple[Callable, Callable]] = {
    'resnet10': (
        lambda: ShallowResNet(10),
        lambda: timm_resnet((1, 1, 1, 1)),
    ),
    'senet10': (
        lambda: ShallowSEResNet(10),
        lambda: timm_resnet((1, 1, 1, 1), se=True),
    ),
    'senet18': (
        lambda: ShallowSEResNet(18),
        lambda: timm_resnet((2, 2, 2, 2), se=True),
    ),
    'senet34': (
        lambda: ShallowSEResNet(34),
        lambda: timm_resnet((3, 4, 6, 3), se=True),
    ),
    'regnetx_200m': (
        lambda: regnet_x(24, 36.44, 2.49, 8, 13),
        lambda: zoo('regnetx_002'),
    ),
    'regnetx_600m': (
        lambda: regnet_x(48, 36.97, 2.24, 24, 16),
        lambda: zoo('regnetx_006'),
    ),
    'regnety_200m': (
        lambda: RegNetY('regnety_200mf'),
        lambda: zoo('regnety_002'),
    ),
    'regnety_400m': (
        lambda: RegNetY('regnety_400mf'),
        lambda: zoo('regnety_004'),
    ),
    'regnety_600m': (
        lambda: RegNetY('regnety_600mf'),
        lambda: zoo('regnety_006'),
    ),
    'regnety_800m': (
        lambda: RegNetY('regnety_800mf'),
        lambda: zoo('regnety_008'),
    ),
    'convnext_k3': (
        lambda: LeanConvNeXt(kernel_size=3),
        lambda: timm_convnext(3),
    ),
    'convnext_k5': (
        lambda: LeanConvNeXt(kernel_size=5),
        lambda: timm_convnext(5),
    ),
    # Channels that pass through are channels with a kernel of one 1.
    'convnext_k3_par1_2': (
        lambda: LeanConvNeXt(kernel_size=3, divisor=2),
        lambda: timm_convnext(3),
    ),
    'convnext_k3_par1_8': (
        lambda: LeanConvNeXt(kernel_size=3, divisor=8),
        lambda: timm_convnext(3),
    ),
    'inceptionnext': (
        InceptionNeXt,
        lambda: timm.create_model('inception_next_tiny'),
    ),
}


@pytest.mark.parametrize('name', PAIRS)
def test_same_output_with_the_same_weights(name: str) -> None:
    ours, theirs = (build().double() for build in PAIRS[name])
    if name == 'inceptionnext':
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            ours = WithHead(ours).double()
    randomize(ours)
    # Not train(False) chained: mmpretrain's returns nothing.
    ours.train(False)
    theirs.train(False)
    image = torch.rand(2, 3, 64, 64, dtype=torch.float64)
    copy_weights(ours, theirs, image)
    with torch.no_grad():
        expected = theirs(image)
        got = ours(image)
    if isinstance(got, tuple):
        got = got[-1]
    if got.dim() == 4:
        got = got.mean((2, 3))
    assert expected.std() > 1e-3
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)


class WithHead(nn.Module):
    """InceptionNeXt with its own head, as timm has it."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = InceptionNeXtHead(1000, 768)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        feature = self.backbone(x)[-1]
        return self.head((feature.mean((2, 3)),))
