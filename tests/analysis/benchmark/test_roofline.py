import pytest
from torch import nn

from mlfm_mm.analysis.benchmark.roofline import (
    copy_bandwidth,
    count_macs,
    memory_bytes,
    trunk_bytes,
)
from mlfm_mm.analysis.benchmark.setting import Setting
from mlfm_mm.models.taps import Tap
from tests.models.builders import classifier, plain_classifier

SETTING = Setting(batch=2, size=(8, 8))


def test_norm_and_activation_move_nothing() -> None:
    conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
    block = nn.Sequential(conv, nn.BatchNorm2d(4), nn.ReLU())
    moved = 2 * 3 * 64 + 2 * 4 * 64 + 4 * 3 * 9
    assert trunk_bytes(conv, SETTING) == 4 * moved
    assert trunk_bytes(block, SETTING) == 4 * moved
    assert trunk_bytes(block, Setting(batch=2, size=(8, 8), dtype='bf16')) == (
        2 * moved
    )


def test_memory_by_hand() -> None:
    taps = [Tap('a', channels=4, reduction=2), Tap('b', 6, reduction=4)]
    bands = 3 * (64 + 16) + 3 * (16 + 4)
    # Each reads trunk, memory and band, and writes the trunk.
    first, second = (4 + 3 + 3 + 4) * 16, (6 + 4 + 3 + 6) * 4
    forgotten = 4 * 4
    moved = 2 * (bands + first + forgotten + second)
    assert memory_bytes(taps, SETTING) == 4 * moved
    # Concatenation writes and reads the memory twice as wide.
    wider = moved + 2 * (forgotten + 4 * 4)
    assert memory_bytes(taps, SETTING, widening=2) == 4 * wider
    # Without the image, the last unit needs no band, nor does it read one.
    fewer = moved - 2 * 3 * (16 + 4) - 2 * 3 * 4
    flags = [True, False]
    assert memory_bytes(taps, SETTING, supplements=flags) == 4 * fewer


def test_macs_of_both_networks() -> None:
    setting = Setting(size=(64, 64))
    plain = count_macs(plain_classifier(), setting)
    # Published: 1.82 G at 224 pixels, with 1000 classes.
    assert plain == pytest.approx(1.82e9 * (64 / 224) ** 2, rel=0.01)
    mlfm = classifier()
    added = 0
    memory_channels = 3
    for tap in mlfm.neck.taps:
        pixels = (64 // tap.reduction) ** 2
        added += pixels * tap.channels * (memory_channels + 27)
        memory_channels = tap.channels
    assert count_macs(mlfm, setting) - plain == added


def test_counting_touches_nothing() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).train()
    count_macs(model, SETTING), trunk_bytes(model, SETTING)
    assert model.training and model[0].weight.device.type == 'cpu'
    assert model[1].num_batches_tracked == 0


def test_bandwidth() -> None:
    assert copy_bandwidth(megabytes=4) > 1e7
