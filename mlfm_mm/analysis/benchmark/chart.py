"""The bar chart of a benchmark."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .. import machine as machines
from ..plots import COLORS
from .measure import Row
from .report import Report, milliseconds, title, together

VARIANTS = ('baseline', 'mlfm', 'plain', 'with_cp', 'other')


def draw_bars(report: Report, path: Path) -> None:
    """Draw times in units of the baseline's, with the noise as whiskers.

    Args:
        report (Report): The report.
        path (Path): The picture to write.
    """
    groups = together(report.rows)
    height = 1.1 + sum(0.7 + 0.3 * len(rows) for rows in groups)
    figure = Figure(figsize=(9, height), dpi=150, layout='constrained')
    panels = figure.subplots(
        len(groups),
        1,
        squeeze=False,
        sharex=True,
        height_ratios=[2 + len(rows) for rows in groups],
    )
    for axes, rows in zip(panels[:, 0], groups, strict=True):
        draw_group(axes, rows)
    last = panels[-1, 0]
    last.set_xlabel("least time, in units of the baseline's; whiskers: noise")
    # Room for the words behind the longest bar.
    widest = max(reach(row) for row in report.rows)
    last.set_xlim(0, 1.3 * widest)
    figure.suptitle(machines.sentence(report.machine), fontsize=8)
    figure.savefig(path)


def reach(row: Row) -> float:
    """Tell how far a bar goes with its whisker, unless that is too long."""
    return row.ratio.value * (1 + min(row.ratio.noise, 0.3))


def draw_group(axes: Axes, rows: list[Row]) -> None:
    """Draw the networks of one setting."""
    for index, row in enumerate(rows):
        value, noise = row.ratio.value, row.ratio.noise
        color = COLORS[VARIANTS.index(row.variant) % len(COLORS)]
        axes.barh(
            index,
            value,
            color=color,
            # Folded networks look lighter than those they come from.
            alpha=0.55 if row.folded else 0.9,
            xerr=value * min(noise, 0.3),
            ecolor='0.3',
            capsize=2,
            height=0.7,
        )
        text = f'x{value:.2f}  {milliseconds(row.least)} ms'
        axes.text(reach(row), index, f'  {text}', va='center', fontsize=8)
    axes.axvline(1, color='0.3', linewidth=0.8, linestyle=':')
    axes.set_yticks(range(len(rows)), [row.arm for row in rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_title(title(rows), fontsize=9, loc='left')
    for side in ('top', 'right'):
        axes.spines[side].set_visible(False)
