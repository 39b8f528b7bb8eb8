"""The rule that finds taps where none are declared."""

import mmpretrain.models
from mmpretrain.registry import MODELS as CLS
from torch import Tensor, nn

from mlfm_mm.models.taps import find_taps
from tests.models.builders import ToyBackbone

assert mmpretrain.models


def taps_of(backbone: nn.Module) -> str:
    taps, _ = find_taps(backbone)
    return ' '.join(f'{tap.module}/{tap.reduction}' for tap in taps)


def test_a_network_for_small_images_only() -> None:
    backbone = CLS.build(dict(type='LeNet5', num_classes=10))
    taps = 'features.1/1 features.2/2 features.4/3 features.5/6'
    assert taps_of(backbone) == taps


def test_a_head_that_handles_pooled_features_channels_last() -> None:
    class ChannelsLast(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean((2, 3), keepdim=True).permute(0, 2, 3, 1)

    backbone = nn.Sequential(ToyBackbone().stage0, ChannelsLast())
    assert taps_of(backbone) == '0/2'


def test_stages_inside_one_container_are_found() -> None:
    backbone = nn.Sequential()
    backbone.features = nn.Sequential(
        *(getattr(ToyBackbone(), f'stage{i}') for i in range(3))
    )
    assert [t.module for t in find_taps(backbone)[0]] == [
        'features.0',
        'features.1',
        'features.2',
    ]


def test_a_part_that_halves_twice_hides_no_resolution() -> None:
    # As SelecSLS of timm in its head.
    stages = [getattr(ToyBackbone(), f'stage{i}') for i in range(3)]
    backbone = nn.Sequential(stages[0], nn.Sequential(*stages[1:]))
    assert taps_of(backbone) == '0/2 1.0/4 1/8'
