"""Draw what memory units hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..engine.normalization import Normalization
from .memory_view import UnitView

# What stands above each column, and which columns share a colour scale.
TITLES = dict(
    image_band='image band\n$I_k$',
    memory_in='memory in\n$m$',
    memory_out='memory out\n$LL(m\\,^\\prime)$',
    input_gate='input gate\nof $m$',
    supplement_gate='supplement gate\nof $I_k$',
    trunk_before='trunk before\n$x$',
    trunk_after='trunk after\n$x\\,^\\prime$',
)
SCALES = (
    (('memory_in', 'memory_out'), 'viridis'),
    (('input_gate', 'supplement_gate'), 'magma'),
    (('trunk_before', 'trunk_after'), 'cividis'),
)
CELL = 1.3  # inches
LEGEND = (
    'What each unit holds for the picture at the left, unit by unit downwards.'
    '\nIt adds what its gates give, $l$, to the trunk: '
    '$x\\,^\\prime = Norm(x + l)$, and hands $m\\,^\\prime = x + l$ on, '
    'or $x$ and $l$ side by side.\n'
    'Maps show the root mean square over channels; a pair of columns shares '
    'the colour scale at its right.\nThe memory doubles with each low-pass. '
    '"gates": their share in the power of gates and trunk.'
)


def draw_memory(
    views: Sequence[UnitView],
    picture: np.ndarray,
    normalization: Normalization,
    title: str,
) -> Figure:
    """Draw what units hold: a row for each, a column for each part.

    Args:
        views (Sequence[UnitView]): From
            :func:`mlfm_mm.analysis.memory_view.view_memory`.
        picture (np.ndarray): The picture, RGB (H, W, 3).
        normalization (Normalization): What turns bands into colours.
        title (str): The title of the figure.

    Returns:
        Figure: The drawing. Maps show the root mean square over channels;
        the columns at the left of a colour bar share its scale.
    """
    rows = len(views) + 1
    figure = Figure(
        figsize=(CELL * (len(TITLES) + 2.2), CELL * rows + 0.5),
        dpi=110,
        layout='constrained',
    )
    figure.suptitle(title, fontsize=12)
    grid = figure.subplots(rows, len(TITLES), squeeze=False)
    _draw_picture(grid[0], picture)
    for axes, view in zip(grid[1:], views, strict=True):
        _draw_unit(figure, dict(zip(TITLES, axes, strict=True)), view)
        _draw_band(axes[0], view, normalization)
    for axes, text in zip(grid[1], TITLES.values(), strict=True):
        axes.set_title(text, fontsize=9)
    return figure


def _draw_picture(row: np.ndarray, picture: np.ndarray) -> None:
    """Put the picture into the first row, and beside it the legend."""
    _clear(row[0])
    row[0].imshow(picture)
    for axes in row[1:]:
        axes.set_axis_off()
    row[1].text(
        0,
        0.5,
        LEGEND,
        fontsize=8.5,
        va='center',
        linespacing=1.5,
        transform=row[1].transAxes,
    ).set_in_layout(False)


def _draw_unit(
    figure: Figure, axes: Mapping[str, Axes], view: UnitView
) -> None:
    """Draw a row: pairs that share a colour scale."""
    height, width = view.maps['trunk_before'].shape[1:]
    for parts, colors in SCALES:
        found = {
            part: view.maps[part].square().mean(0).sqrt().numpy()
            for part in parts
            if part in view.maps
        }
        top = max(float(values.max()) for values in found.values()) or 1.0
        for part in parts:
            _clear(axes[part])
            if part not in found:
                axes[part].text(0.5, 0.5, 'none', ha='center', va='center')
                continue
            shown = axes[part].imshow(
                found[part],
                cmap=colors,
                vmin=0,
                vmax=top,
                # The same size on the page at any resolution.
                extent=(0, width, height, 0),
            )
        bar = figure.colorbar(
            shown, ax=[axes[part] for part in parts], pad=0.02, aspect=14
        )
        bar.ax.tick_params(labelsize=7, length=2)
        bar.locator = MaxNLocator(4)
        bar.update_ticks()


def _draw_band(
    axes: Axes, view: UnitView, normalization: Normalization
) -> None:
    """Show the image's band as a picture, and name the unit beside it."""
    _clear(axes)
    row = view.row()
    axes.set_ylabel(
        f'{view.tap}\nstride {view.stride}, {row["channels"]} ch\n'
        f'gates: {row["share"]:.0%}',
        fontsize=8,
        rotation=0,
        ha='right',
        va='center',
        labelpad=6,
    )
    if 'image_band' in view.maps:
        band = view.maps['image_band'] / 2**view.level
        axes.imshow(normalization.picture(band))
    else:
        axes.text(0.5, 0.5, 'not read', ha='center', va='center')


def _clear(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
