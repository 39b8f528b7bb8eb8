"""Levels and layouts of a tap."""

import pytest
import torch

from mlfm_mm.models.taps.tap import Tap, halvings


@pytest.mark.parametrize(
    ('reduction', 'level'),
    [(1, 0), (2, 1), (3, 2), (4, 2), (7, 3), (32, 5), (43, 5)],
)
def test_level(reduction: int, level: int) -> None:
    assert Tap('x', 1, reduction).level == level


@pytest.mark.parametrize(
    ('reduction', 'expected'), [(0.5, 0), (1, 0), (2.8, 1), (2.9, 2), (43, 5)]
)
def test_halvings(reduction: float, expected: int) -> None:
    assert halvings(reduction) == expected


def test_maps_come_back_as_the_module_returned_them() -> None:
    x = torch.rand(2, 5, 6, 4)  # (N, H, W, C)
    tap = Tap('x', 4, 2, channels_last=True)
    maps = tap.as_maps(x)
    assert maps.shape == (2, 4, 5, 6)
    back = tap.as_returned(maps)
    assert torch.equal(back, x) and back.is_contiguous()
    assert Tap('x', 4, 2).as_maps(maps) is maps
