"""The table of bound taps."""

from torch import nn

from mlfm_mm.models.taps import Tap, tap_table


def test_columns_fit_their_widest_cell() -> None:
    taps = [Tap('stem', 8, 1), Tap('a.long.name', 1024, 32)]
    units = [nn.Conv2d(3, 8, 1), nn.Linear(1000, 1024)]
    lines = tap_table(taps, units).splitlines()
    assert [line.split() for line in lines] == [
        ['tap', 'channels', 'stride', 'low-passed', 'parameters'],
        ['stem', '8', '1', '0x', '32'],
        ['a.long.name', '1024', '32', '5x', '1,025,024'],
        ['total', '1,025,056'],
    ]
    assert len({len(line) for line in lines}) == 1
