"""The table of bound taps that ``print(model.neck)`` and the log show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn

from .find import Tap

HEADER = ('tap', 'channels', 'stride', 'low-passed', 'parameters')


def tap_table(taps: Sequence[Tap], units: Iterable[nn.Module]) -> str:
    """Lay out taps and what their units cost.

    Args:
        taps (Sequence[Tap]): The taps.
        units (Iterable[nn.Module]): The unit of each tap.

    Returns:
        str: A table, one line a tap and one for the sum.

    Example:
        >>> print(tap_table([Tap('stem', 8, 2)], [nn.Conv2d(3, 8, 1)]))
        tap    channels  stride  low-passed  parameters
        stem          8       2          1x          32
        total                                        32
    """
    rows, total = [HEADER], 0
    for tap, unit in zip(taps, units, strict=True):
        added = sum(p.numel() for p in unit.parameters())
        total += added
        rows.append(
            (
                tap.module,
                str(tap.channels),
                str(tap.reduction),
                f'{tap.level}x',
                f'{added:,}',
            )
        )
    rows.append(('total', '', '', '', f'{total:,}'))
    columns = list(zip(*rows, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    return '\n'.join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *cells = row
    figures = [f'{c:>{w}}' for c, w in zip(cells, widths[1:], strict=True)]
    return '  '.join([f'{name:<{widths[0]}}', *figures])
