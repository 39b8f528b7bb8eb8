"""Declared taps count as a whole, whatever a library calls its classes."""

import pytest
import torchvision.models
from torch import Tensor, nn

from mlfm_mm.models.taps import find_taps


def taps_of(backbone: nn.Module) -> str:
    taps, _ = find_taps(backbone)
    return ' '.join(f'{tap.module}/{tap.reduction}' for tap in taps)


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        (
            'resnet18',  # has the names of the paper's
            'relu/2 maxpool/4 layer1/4 layer2/8 layer3/16 layer4/32',
        ),
        (
            'shufflenet_v2_x0_5',  # shares two names of four
            'conv1/2 maxpool/4 stage2/8 stage3/16 conv5/32',
        ),
        (
            'regnet_x_400mf',
            'stem/2 trunk_output.block1/4 trunk_output.block2/8 '
            'trunk_output.block3/16 trunk_output.block4/32',
        ),
        (
            'squeezenet1_1',  # has maps of classes in its head
            'features.1/2 features.4/4 features.7/8 features.12/17',
        ),
    ],
)
def test_torchvision(name: str, expected: str) -> None:
    backbone = torchvision.models.get_model(name, weights=None)
    assert taps_of(backbone) == expected


class ResNet(nn.Module):
    """A class of a declared name.

    Args:
        entries (tuple[str, ...]): Its parts, each of which halves the size.
    """

    def __init__(self, entries: tuple[str, ...]) -> None:
        super().__init__()
        self.entries = entries
        for name in entries:
            conv = nn.Conv2d(4, 4, 3, 2, 1)
            self.add_module(name, nn.Sequential(conv, nn.ReLU()))
        self.maxpool = nn.MaxPool2d(1)
        self.stem = nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for name in self.entries:
            x = getattr(self, name)(x)
            if name == 'relu':
                x = self.maxpool(x)
        return x


WHOLE = 'relu/2 maxpool/2 layer1/4 layer2/8'


@pytest.mark.parametrize(
    ('entries', 'expected'),
    [
        (('relu', 'layer1', 'layer2'), WHOLE),
        # An entry is missing.
        (('act', 'layer1', 'layer2'), 'act/2 layer1/4 layer2/8'),
        (('relu', 'stage1', 'stage2'), 'maxpool/2 stage1/4 stage2/8'),
        # A resolution is, at the end or between.
        (('relu', 'layer1', 'head'), 'maxpool/2 layer1/4 head/8'),
        (('relu', 'extra', 'layer1'), 'maxpool/2 extra/4 layer1/8'),
    ],
)
def test_only_a_whole_declaration_counts(
    entries: tuple[str, ...], expected: str
) -> None:
    assert taps_of(ResNet(entries)) == expected
