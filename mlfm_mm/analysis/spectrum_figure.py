"""Draw the spectra of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from .plots import COLORS, STYLES, draw
from .spectrum import BINS, CUTOFF
from .tables import Table

Curves = Mapping[str, Mapping[str, Sequence[float | None]]]
COLUMNS = 4


def draw_spectra(curves: Curves, table: Table, title: str) -> Figure:
    """Draw spectra stage by stage, and the share of low frequencies.

    Args:
        curves (dict): From :func:`mlfm_mm.analysis.spectrum.curves`.
        table (Table): From :func:`mlfm_mm.analysis.spectrum.tabulate`.
        title (str): The title of the figure.

    Returns:
        Figure: The drawing.
    """
    stages = list(dict.fromkeys(s for by in curves.values() for s in by))
    rows = -(-len(stages) // COLUMNS)
    figure = Figure(
        figsize=(11, 2.5 * rows + 3.4), dpi=130, layout='constrained'
    )
    figure.suptitle(title, fontsize=12)
    upper, lower = figure.subfigures(
        2, 1, squeeze=False, height_ratios=[2.5 * rows, 3.2]
    ).flat
    grid = upper.subplots(
        rows, COLUMNS, sharex=True, sharey=True, squeeze=False
    )
    for axes, stage in zip(grid.flat, stages, strict=False):
        _draw_stage(axes, stage, curves)
    for axes in grid.flat[len(stages) :]:
        axes.set_axis_off()
    upper.supxlabel(
        'frequency, as part of the highest that the map can show', fontsize=9
    )
    upper.supylabel('power (1: equal at all frequencies)', fontsize=9)
    _draw_shares(lower.subplots(), table, list(curves), stages)
    return figure


def _draw_stage(axes: Axes, stage: str, curves: Curves) -> None:
    centers = [(i + 0.5) / BINS for i in range(BINS)]
    axes.axvspan(0, CUTOFF, color='0.93', zorder=0)
    for index, by_stage in enumerate(curves.values()):
        powers = by_stage.get(stage, ())
        # Rings of frequency are empty in small maps.
        known = [
            (center, power)
            for center, power in zip(centers, powers, strict=False)
            if power
        ]
        axes.plot(
            [center for center, _ in known],
            [power for _, power in known],
            STYLES[index % len(STYLES)],
            color=COLORS[index % len(COLORS)],
            marker='o',
            markersize=3,
            linewidth=1.5,
        )
    axes.set_yscale('log')
    axes.set_xlim(0, 1)
    axes.set_title(stage, fontsize=9)
    axes.axhline(1, color='0.6', linewidth=0.8, zorder=1)
    axes.grid(alpha=0.3)
    axes.tick_params(labelsize=8)


def _draw_shares(
    axes: Axes, table: Table, names: Sequence[str], stages: Sequence[str]
) -> None:
    """Draw the share of low frequencies by stage, a line for each network."""
    for index, name in enumerate(names):
        shares = {
            stages.index(row['stage']): row['low']
            for row in table.rows
            if row['network'] == name and row['low'] is not None
        }
        draw(axes, [shares], name, index)
    axes.set_xticks(range(len(stages)), stages)
    axes.set_xlabel('stage')
    axes.set_ylabel(f'share of power\nbelow {CUTOFF:g}')
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_ylim(0, 1)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc='best')
    axes.spines[['top', 'right']].set_visible(False)
