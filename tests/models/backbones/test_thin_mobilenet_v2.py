"""MobileNetV2 whose widths may be multiples of four."""

from mmpretrain.models import MobileNetV2
from torch import nn

from mlfm_mm.models.backbones import ThinMobileNetV2


def test_a_divisor_of_eight_is_mmpretrains() -> None:
    ours = ThinMobileNetV2(0.35, divisor=8).state_dict()
    theirs = MobileNetV2(widen_factor=0.35).state_dict()
    assert list(ours) == list(theirs)
    assert all(ours[key].shape == theirs[key].shape for key in ours)


def test_widths_are_multiples_of_four() -> None:
    net = ThinMobileNetV2(0.1)
    layers = [getattr(net, f'layer{i}') for i in range(1, 8)]
    convs = [
        [m for m in layer.modules() if isinstance(m, nn.Conv2d)]
        for layer in layers
    ]
    widths = [inner[-1].out_channels for inner in convs]
    assert widths == [4, 4, 4, 8, 12, 16, 32]
