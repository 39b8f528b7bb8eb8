"""Draw the scores of networks on corrupted pictures."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .evidence.statistics import spread
from .plots import COLORS, draw
from .robustness import Scores, areas, curve_of

# The axis label of a panel: what its strengths mean.
MEANINGS = dict(
    low_pass='means over blocks of so many pixels',
    high_pass='without the means over blocks of so many pixels',
    noise='Gaussian noise, deviation in grey levels of 255',
    blur='Gaussian blur, deviation in pixels',
    jpeg='JPEG, quality',
)
COLUMNS = 3


def draw_robustness(scores: Scores, label: str, title: str) -> Figure:
    """Draw a curve for each network, a panel for each family.

    Args:
        scores (dict): For each network, the scores of each checkpoint by
            condition.
        label (str): Name of the score.
        title (str): The title of the figure.

    Returns:
        Figure: The drawing, with the areas under the curves.
    """
    found = areas(scores)
    families = list(next(iter(found.values()))[0])
    rows = -(-(len(families) + 1) // COLUMNS)
    figure = Figure(
        figsize=(11, 3.3 * rows + 0.4), dpi=130, layout='constrained'
    )
    figure.suptitle(title, fontsize=12)
    grid = figure.subplots(rows, COLUMNS, squeeze=False)
    top = max(max(run.values()) for runs in scores.values() for run in runs)
    for axes, family in zip(grid.flat, families, strict=False):
        _draw_family(axes, family, scores)
        axes.set_ylim(0, 1.08 * top)
    for axes in grid[:, 0]:
        axes.set_ylabel(label)
    _draw_areas(grid.flat[len(families)], found, families)
    for axes in grid.flat[len(families) + 1 :]:
        axes.set_axis_off()
    return figure


def _draw_family(axes: Axes, family: str, scores: Scores) -> None:
    for index, (name, runs) in enumerate(scores.items()):
        strengths = curve_of(runs[0], family)[0]
        curves = [curve_of(run, family)[1] for run in runs]
        draw(axes, [dict(enumerate(curve)) for curve in curves], name, index)
        axes.set_xticks(range(len(strengths)), strengths)
    axes.set_title(family.replace('_', '-'), fontsize=10)
    axes.set_xlabel(MEANINGS[family], fontsize=8)
    axes.grid(alpha=0.3)
    _trim(axes)


def _draw_areas(axes: Axes, found: Scores, families: Sequence[str]) -> None:
    """Draw the areas as bars, with the legend of all panels."""
    width = 0.8 / len(found)
    for index, (name, runs) in enumerate(found.items()):
        means = [fmean(run[family] for run in runs) for family in families]
        total = [fmean(run.values()) for run in runs]
        bars = axes.barh(
            np.arange(len(means)) + (index - (len(found) - 1) / 2) * width,
            means,
            width,
            color=COLORS[index % len(COLORS)],
            label=f'{name}: {spread(total)} on average',
        )
        axes.bar_label(bars, fmt='%.1f', fontsize=7, padding=2)
    axes.set_yticks(
        range(len(families)), [f.replace('_', '-') for f in families]
    )
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_title('area under the curves', fontsize=10)
    axes.legend(
        frameon=False, fontsize=8, loc='upper left', bbox_to_anchor=(0, -0.1)
    )
    _trim(axes)


def _trim(axes: Axes) -> None:
    axes.tick_params(labelsize=8)
    axes.spines[['top', 'right']].set_visible(False)
