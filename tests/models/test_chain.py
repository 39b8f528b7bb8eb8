"""The chain of units: channels, levels, flags and norms."""

from functools import partial

import pytest
from torch import nn

from mlfm_mm.models import Tap
from mlfm_mm.models.chain import bands_read, build_chain

BACKBONE = nn.Conv2d(3, 4, 1)
TAPS = [Tap('stem', 4, 2), Tap('pool', 4, 4), Tap('a', 8, 4), Tap('b', 6, 16)]


@pytest.mark.parametrize(
    ('update', 'channels'), [('add', [3, 4, 4, 8]), ('concat', [3, 8, 8, 16])]
)
def test_each_unit_reads_what_the_one_before_hands_on(
    update: str, channels: list[int]
) -> None:
    units = build_chain(BACKBONE, TAPS, 3, update=update)
    assert [unit.input_gate.in_channels for unit in units] == channels
    assert [unit.forget_gate.levels for unit in units] == [1, 0, 2, 0]


def test_one_flag_for_all() -> None:
    for flag in (True, 1, 0):
        units = build_chain(BACKBONE, TAPS, 3, flag)
        assert [bool(unit.supplement_gate) for unit in units] == 4 * [flag]


def test_as_many_flags_as_taps() -> None:
    with pytest.raises(ValueError, match='2 flags for 4 taps: stem, pool'):
        build_chain(BACKBONE, TAPS, 3, [True, False])
    # A letter for each tap.
    with pytest.raises(ValueError, match="supplement='none' must be True or"):
        build_chain(BACKBONE, TAPS, 3, 'none')


@pytest.mark.parametrize(
    ('flags', 'level'),
    [(True, 4), (False, 1), ([False, True, True, False], 2)],
)
def test_the_deepest_band_that_is_read(
    flags: bool | list[bool], level: int
) -> None:
    units = build_chain(BACKBONE, TAPS, 3, flags)
    assert bands_read(TAPS, units) == (level, False)


@pytest.mark.parametrize('flag', [True, False])
def test_the_image_itself_is_read(flag: bool) -> None:
    taps = [Tap('first', 4, 2), Tap('raised', 6, 1)]
    units = build_chain(BACKBONE, taps, 3, [False, flag])
    assert bands_read(taps, units) == (1, flag)


def test_batch_norm_beside_any_norm() -> None:
    norms = nn.BatchNorm2d, partial(nn.GroupNorm, 2), nn.LayerNorm
    for norm in (*norms, nn.SyncBatchNorm):
        units = build_chain(nn.Sequential(norm(4)), TAPS, 3)
        expected = norm if norm is nn.SyncBatchNorm else nn.BatchNorm2d
        assert all(isinstance(unit.output_gate, expected) for unit in units)
