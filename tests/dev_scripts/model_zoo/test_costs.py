"""Counts of the configs against published ones, and against timm's."""

import json
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn

from mlfm_mm.analysis.complexity import measure_complexity
from model_zoo.costs import count
from tests.tools.helpers import write_segments_config

REPO = Path(__file__).resolve().parents[3]
COSTS = json.loads((REPO / 'configs/zoo/costs.json').read_text())

# The published table of costs, 100 classes and 256x256 pixels: parameters in
# millions and MACs in millions, without and with memory.
PUBLISHED = {
    'resnet10': (4.957, 5.176, 1161, 1289),
    'resnet18': (11.228, 11.431, 2369, 2496),
    'resnet34': (21.336, 21.650, 4785, 4951),
    'senet10': (5.002, 5.220, 1161, 1289),
    'senet18': (11.317, 11.535, 2369, 2497),
    'senet34': (21.497, 21.716, 4785, 4913),
    'mobilenetv2_0.1': (0.2038, 0.2058, 15.3, 23.8),
    'mobilenetv2_0.35': (0.5242, 0.5328, 75.9, 94.2),
    'mobilenetv2_0.5': (0.8158, 0.8295, 125.3, 146.1),
    'mobilenetv2_0.75': (1.4835, 1.5089, 271.5, 301.8),
    'mobilenetv2_1.0': (2.3520, 2.3914, 391.3, 429.6),
}
# Channels of the taps and how often the image is low-passed there.
SIX = ((64, 1), (64, 2), (64, 2), (128, 3), (256, 4), (512, 5))
EIGHT = (*SIX[:4], (128, 3), (256, 4), *SIX[4:])
WIDTHS = {
    '0.1': (4, 4, 4, 8, 12, 16),
    '0.35': (16, 8, 16, 24, 32, 56),
    '0.5': (16, 16, 16, 32, 48, 80),
    '0.75': (24, 24, 24, 48, 72, 120),
    '1.0': (32, 24, 32, 64, 96, 160),
}


def figures(network: str, arm: str) -> dict:
    return COSTS[f'configs/{arm}/{network}_in100.py']


def taps_of(network: str) -> tuple[tuple[int, int], ...]:
    """Channels and levels of the taps, from the reference."""
    if network.startswith('mobilenetv2'):
        widths = WIDTHS[network.partition('_')[2]]
        return tuple(zip(widths, (1, 2, 3, 4, 4, 5), strict=True))
    return EIGHT if network == 'resnet34' else SIX


def convolutions_of_gates(network: str) -> int:
    """Output channels of all gates: the published ones have a bias each."""
    channels = [channels for channels, _ in taps_of(network)]
    # The published ResNet-18 has no supplement gate in its last unit.
    return 2 * sum(channels) - (512 if network == 'resnet18' else 0)


@pytest.mark.parametrize('network', PUBLISHED)
def test_parameters_are_the_published_ones(network: str) -> None:
    plain, mlfm, *_ = PUBLISHED[network]
    digits = 4 if network.startswith('mobilenetv2') else 3
    # The published figures are rounded to either side of a half.
    within = pytest.approx
    assert figures(network, 'baseline')['params'] / 1e6 == within(
        plain, abs=0.51 * 10**-digits
    )
    # A bias in front of a batch norm has no effect, and ours have none.
    params = figures(network, 'mlfm')['params']
    assert (params + convolutions_of_gates(network)) / 1e6 == within(
        mlfm, abs=0.51 * 10**-digits
    )


@pytest.mark.parametrize('network', PUBLISHED)
def test_macs_are_the_published_ones(network: str) -> None:
    *_, plain, mlfm = PUBLISHED[network]
    # Of the wide networks the table gives four digits.
    unit = 0.1 if network.startswith('mobilenetv2') else 1.0
    ours = figures(network, 'baseline')['macs'] / 1e6
    assert ours == pytest.approx(plain, abs=0.51 * unit)
    # The published code filters by convolutions, which were counted: five
    # transforms of the image, and that of the memory at each level.
    levels = taps_of(network)
    places = [channels * (256 >> level) ** 2 for channels, level in levels]
    filters = 12 * 256**2 * sum((5 - i) / 4**i for i in range(5))
    for i, (above, below) in enumerate(pairwise(levels)):
        filters += 4 * places[i] * (below[1] > above[1])
    # What is left are a few operations for each number of a tapped feature,
    # biases and sums, none of which our count takes for a multiply-add.
    rest = mlfm - figures(network, 'mlfm')['macs'] / 1e6 - filters / 1e6
    assert 2.5 < rest / (sum(places) / 1e6) < 5


@pytest.mark.parametrize(
    ('network', 'theirs'),
    [
        ('resnet18', 'resnet18'),
        ('resnet50', 'resnet50'),
        ('senet50', 'seresnet50'),
        ('regnetx_400m', 'regnetx_004'),
        ('regnetx_800m', 'regnetx_008'),
        ('regnety_400m', 'regnety_004'),
        ('efficientnet_b0', 'efficientnet_b0'),
        ('efficientnet_b1', 'efficientnet_b1'),
        ('efficientnet_b2', 'efficientnet_b2'),
        ('efficientnet_b3', 'efficientnet_b3'),
        ('efficientnet_b4', 'efficientnet_b4'),
        ('convnext_tiny', 'convnext_tiny'),
        ('convnext_small', 'convnext_small'),
        ('inceptionnext', 'inception_next_tiny'),
    ],
)
def test_parameters_are_those_of_timm(network: str, theirs: str) -> None:
    timm = pytest.importorskip('timm')
    with torch.device('meta'):
        model = timm.create_model(theirs, num_classes=100)
    count = sum(p.numel() for p in model.parameters())
    ours = figures(network, 'baseline')['params']
    # timm's gates of SE-ResNet-50 have biases as ours, all else is equal.
    assert ours == count


# A few of each kind here, the others by make test-slow.
QUICK = {'resnet18_in100', 'mobilenetv2_0.1_in100', 'resnet18_w16_digits'}


@pytest.mark.parametrize(
    'path',
    [
        pytest.param(
            path,
            marks=() if Path(path).stem in QUICK else pytest.mark.slow,
        )
        for path in COSTS
        # tests/other_hosts counts where the other hosts are.
        if find_spec(COSTS[path]['scope'])
    ],
)
def test_the_data_file_is_what_is_counted(path: str) -> None:
    assert count(Config.fromfile(REPO / path)) == COSTS[path]


def test_costs_of_a_segmentor(tmp_path: Path) -> None:
    pytest.importorskip('mmseg')
    cfg = Config.fromfile(write_segments_config(tmp_path))
    head = dict(cfg.model.decode_head, in_index=1, in_channels=8)
    plain = dict(cfg.model, neck=None, data_preprocessor=None)
    costs = []
    for extra in (None, dict(head, type='FCNHead', channels=4)):
        cfg.model = dict(plain, auxiliary_head=extra)
        resize = dict(type='Resize', scale=(96, 64))
        cfg.train_dataloader.dataset.pipeline = [resize]
        costs.append(count(cfg))
    assert costs[0]['size'] == [64, 96]
    # A head that only helps to train is there, but is not passed.
    more = costs[1]['params'] - costs[0]['params']
    assert more == 8 * 4 * 9 + 2 * 4 + 4 * 2 + 2
    assert costs[1]['macs'] == costs[0]['macs'] > 0


def test_a_shared_layer_counts_each_time_and_once_a_pass() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1, bias=False)
            self.same = self.conv

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.same(self.conv(x))

    assert measure_complexity(Twice(), (4, 5)).macs == 2 * (4 * 5 * 3 * 27)


def test_transposed_convolutions_spread_their_input() -> None:
    conv = nn.ConvTranspose2d(3, 8, 2, stride=2, bias=False)
    # Each of 4x5 places of 3 channels goes to 2x2 places of 8 channels.
    assert measure_complexity(conv, (4, 5)).macs == 4 * 5 * 3 * (8 * 2 * 2)
