"""How the cost of the memory grows with image, batch, width and depth."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from mmengine.config import Config

from ...engine import UsageError
from .. import machine as machines
from ..plots import COLORS, STYLES
from ..tables import Column, Table
from .measure import Row
from .report import Report, milliseconds, together
from .setting import PHASES, Setting
from .variants import Group, neck_of

AXES = {
    'size': 'height and width of the image (pixels)',
    'batch': 'images in a batch',
    'width': 'width of the network',
    'depth': 'depth of the network',
}
POINTS: dict[str, tuple[float, ...]] = {
    'size': (128, 256, 512, 1024),
    'batch': (1, 2, 4, 8, 16),
    'depth': (18, 34, 50, 101),
}
# The options that widen a backbone, and what to set them to.
WIDTHS: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    'base_channels': (('base_channels', 'stem_channels'), (16, 32, 64, 128)),
    'widen_factor': (('widen_factor',), (0.25, 0.5, 1.0, 1.5)),
}


@dataclass(frozen=True)
class Point:
    """A point of a sweep.

    Args:
        value (float): Where it is on the axis.
        cfg (Config): The network there.
        setting (Setting): How it is run there.
    """

    value: float
    cfg: Config
    setting: Setting


def sweep(
    axis: str,
    cfg: Config,
    setting: Setting,
    values: Iterable[float] | None = None,
) -> list[Point]:
    """Vary one thing.

    Args:
        axis (str): What to vary, one of ``AXES``.
        cfg (Config): The network.
        setting (Setting): How it is run.
        values (Iterable[float], optional): The points. Defaults to None,
            what is usual for the axis.

    Returns:
        list[Point]: The points.

    Raises:
        UsageError: The network cannot be varied so.
    """
    if axis in ('width', 'depth'):
        keys, usual = knobs(axis, cfg)
        return [
            Point(value, varied(cfg, keys, value), setting)
            for value in values or usual
        ]
    points = []
    for value in values or POINTS[axis]:
        count = int(value)
        if axis == 'size':
            changed = replace(setting, size=(count, count))
        else:
            changed = replace(setting, batch=count)
        points.append(Point(value, cfg, changed))
    return points


def knobs(axis: str, cfg: Config) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Find the options of a backbone that make it wider or deeper."""
    backbone = cfg.model.backbone
    if axis == 'depth' and isinstance(backbone.get('depth'), int):
        return ('depth',), POINTS['depth']
    if axis == 'width':
        if 'widen_factor' in backbone:
            return WIDTHS['widen_factor']
        if str(backbone.type).split('.')[-1] in ('ResNet', 'ResNet_CIFAR'):
            return WIDTHS['base_channels']
    raise UsageError(
        f'--scale {axis}: {backbone.type} has no option that is known to '
        f'change its {axis}; give a config of a ResNet'
    )


def varied(cfg: Config, keys: tuple[str, ...], value: float) -> Config:
    """Change a backbone, and leave out what would not fit: head and flags."""
    changed = copy.deepcopy(cfg)
    for key in keys:
        changed.model.backbone[key] = value
    changed.model.head = None
    # A flag for each unit, of which a deeper network has more.
    if not isinstance(neck_of(changed.model).get('supplement', True), bool):
        neck_of(changed.model)['supplement'] = True
    return changed


def measure_sweep(
    points: list[Point],
    group_of: Callable[[Point], Group],
    measure: Callable[[Group, Setting], list[Row]],
) -> list[Row]:
    """Measure at each point.

    Args:
        points (list[Point]): The points.
        group_of (Callable): Makes the networks of a point.
        measure (Callable): Measures them.

    Returns:
        list[Row]: All rows, each with its point.
    """
    return [
        replace(row, point=point.value)
        for point in points
        for row in measure(group_of(point), point.setting)
    ]


def added_nanoseconds(baseline: Row, row: Row) -> float:
    """Give the time that is added for each pixel of the images."""
    height, width = row.setting.size
    pixels = row.setting.batch * height * width
    return (row.least - baseline.least) / pixels * 1e9


def sweep_table(rows: list[Row], axis: str) -> Table:
    """Set the points of a sweep below each other.

    Args:
        rows (list[Row]): Of one phase: a baseline and MLFM at each point.
        axis (str): What varies.

    Returns:
        Table: A row for each point.
    """
    columns = [
        Column('point', axis, '{:g}'.format),
        Column('baseline', 'baseline (ms)', milliseconds),
        Column('mlfm', '+ MLFM (ms)', milliseconds),
        Column('ratio', 'x baseline'),
        Column('added', 'added (ns/pixel)', '{:.1f}'.format),
    ]
    cells = [
        dict(
            point=row.point,
            baseline=part[0].least,
            mlfm=row.least,
            ratio=row.ratio.short,
            added=added_nanoseconds(part[0], row),
        )
        for part in together(rows)
        for row in part[1:]
    ]
    setting = rows[0].setting
    caption = (
        f'{PHASES[setting.phase]}, {rows[0].network.split(",")[0]}. A '
        'question mark: no verdict, the noise exceeds the difference.'
    )
    return Table(columns, cells, caption)


def by_phase(rows: list[Row]) -> list[list[Row]]:
    """Split rows by what is timed."""
    phases = dict.fromkeys(row.setting.phase for row in rows)
    return [
        [row for row in rows if row.setting.phase == phase] for phase in phases
    ]


def draw_sweep(report: Report, path: Path) -> None:
    """Draw times and ratios over the axis of a sweep.

    Args:
        report (Report): A report with an ``axis``.
        path (Path): The picture to write.
    """
    phases = by_phase(report.rows)
    figure = Figure(
        figsize=(10, 3.6 * len(phases)), dpi=150, layout='constrained'
    )
    figure.suptitle(machines.sentence(report.machine), fontsize=8)
    panels = figure.subplots(len(phases), 2, squeeze=False)
    for (left, right), rows in zip(panels, phases, strict=True):
        draw_times(left, rows, report.axis)
        draw_ratios(right, rows, report.axis)
        left.set_title(PHASES[rows[0].setting.phase], fontsize=10, loc='left')
    figure.savefig(path)


def draw_times(axes: Axes, rows: list[Row], axis: str) -> None:
    """Draw milliseconds a batch, on logarithmic axes."""
    for index, variant in enumerate(dict.fromkeys(r.variant for r in rows)):
        line = [row for row in rows if row.variant == variant]
        x = [row.point for row in line]
        y = [1e3 * row.least for row in line]
        label = 'without memory' if variant == 'baseline' else '+ MLFM'
        axes.plot(
            x,
            y,
            STYLES[index],
            color=COLORS[index],
            marker='o',
            markersize=4,
            label=label,
        )
    if axis in ('size', 'batch'):
        # In proportion to the pixels, from the last point back.
        power = 2 if axis == 'size' else 1
        straight = [y[-1] * (value / x[-1]) ** power for value in x]
        axes.plot(
            x, straight, ':', color='0.5', label='in proportion to pixels'
        )
    label_axes(axes, rows, axis, 'ms')
    axes.set_yscale('log', base=10)
    for ticks in (
        axes.yaxis.set_major_formatter,
        axes.yaxis.set_minor_formatter,
    ):
        ticks(FuncFormatter(lambda value, _: f'{value:g}'))
    axes.legend(loc='best', framealpha=0.9)


def draw_ratios(axes: Axes, rows: list[Row], axis: str) -> None:
    """Draw the ratio to the baseline, with its noise."""
    line = [row for row in rows if row.variant != 'baseline']
    x = [row.point for row in line]
    y = [row.ratio.value for row in line]
    noise = [row.ratio.value * row.ratio.noise for row in line]
    axes.errorbar(x, y, noise, color=COLORS[1], marker='o', capsize=3)
    axes.axhline(1, color='0.5', linestyle=':')
    label_axes(axes, rows, axis, "time in units of the baseline's")
    highest = max(a + b for a, b in zip(y, noise, strict=True))
    axes.set_ylim(0, max(1.5, 1.1 * highest))


def label_axes(axes: Axes, rows: list[Row], axis: str, label: str) -> None:
    """Label a panel, with a tick for each point."""
    axes.set_xscale('log', base=2)
    points = list(dict.fromkeys(row.point for row in rows))
    axes.set_xticks(points, [f'{point:g}' for point in points])
    axes.minorticks_off()
    axes.set_xlabel(AXES[axis])
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    for side in ('top', 'right'):
        axes.spines[side].set_visible(False)
