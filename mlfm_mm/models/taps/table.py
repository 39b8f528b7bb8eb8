"""The table of bound taps that ``print(model.neck)`` and the log show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn

from .tap import Tap


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
    width = max(len(name) for name in ('total', *(t.module for t in taps)))
    row = f'{{:<{width}}}  {{:>8}}  {{:>6}}  {{:>10}}  {{:>10}}'.format
    added = [sum(p.numel() for p in unit.parameters()) for unit in units]
    lines = [row('tap', 'channels', 'stride', 'low-passed', 'parameters')]
    for tap, count in zip(taps, added, strict=True):
        numbers = tap.channels, tap.reduction, f'{tap.level}x', f'{count:,}'
        lines.append(row(tap.module, *numbers))
    return '\n'.join([*lines, row('total', '', '', '', f'{sum(added):,}')])
