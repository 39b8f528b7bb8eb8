"""Plot learning curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .evidence.statistics import deviation, spread
from .runs import Curve

# Distinct in print, and to people with red-green colour blindness.
COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00')
STYLES = ('--', '-', ':', '-.')
# Characters that fit above both panels.
TITLE_WIDTH = 90
MARKED_EPOCHS = 30


def plot_curves(
    curves: Mapping[str, Sequence[Curve]],
    path: Path,
    title: str,
    score_label: str = 'validation top-1 accuracy (%)',
    unit: str = 'epoch',
) -> None:
    """Draw validation score and training loss of networks.

    Args:
        curves (Mapping[str, Sequence[Curve]]): The runs of each network:
            their mean is drawn, and around it their standard deviation.
        path (Path): The picture to write.
        title (str): The title above both panels.
        score_label (str): Name of the score. Defaults to
            'validation top-1 accuracy (%)'.
        unit (str): The unit of the horizontal axis. Defaults to 'epoch'.
    """
    # Figure, not pyplot: it needs no display and leaves no state behind.
    height = 4.4 + 0.2 * max(0, len(curves) - 2)
    figure = Figure(figsize=(10, height), dpi=150, layout='constrained')
    figure.suptitle(fill(title, TITLE_WIDTH), fontsize=12)
    left, right = figure.subplots(1, 2)
    for index, (name, runs) in enumerate(curves.items()):
        draw(left, [run.score for run in runs], told(name, runs, unit), index)
        draw(right, [run.loss for run in runs], told_loss(name, runs), index)
        if len(runs) == 1:
            # A star where the run was best.
            left.plot(
                runs[0].best_at,
                runs[0].best,
                '*',
                color=COLORS[index % len(COLORS)],
                markersize=13,
                markeredgecolor='white',
            )
    finish(left, score_label, unit)
    mean = ', mean of the epoch' if unit == 'epoch' else ''
    finish(right, f'training loss{mean}', unit)
    figure.savefig(path)


def told(name: str, runs: Sequence[Curve], unit: str) -> str:
    """Write a network's entry in the legend of scores."""
    if len(runs) == 1:
        (run,) = runs
        return (
            f'{name}: best {run.best:.2f} ({unit} {run.best_at}), '
            f'final {run.final:.2f}'
        )
    final = spread([run.final for run in runs])
    return f'{name}: final {final} ({len(runs)} seeds)'


def told_loss(name: str, runs: Sequence[Curve]) -> str:
    """Write a network's entry in the legend of losses."""
    finals = [run.loss[max(run.loss)] for run in runs if run.loss]
    return f'{name}: final {fmean(finals):.3f}' if finals else name


def draw(
    axes: Axes, runs: Sequence[Mapping[int, float]], label: str, index: int
) -> None:
    """Draw a run, or the mean of several over the epochs that all have.

    Args:
        axes (Axes): The panel.
        runs (Sequence[Mapping[int, float]]): A value for each epoch.
        label (str): Its entry in the legend.
        index (int): The number of the network, which chooses colour and
            style.
    """
    epochs = sorted(set.intersection(*(set(run) for run in runs)))
    values = [[run[epoch] for run in runs] for epoch in epochs]
    means = np.array([fmean(row) for row in values])
    color = COLORS[index % len(COLORS)]
    axes.plot(
        epochs,
        means,
        STYLES[index % len(STYLES)],
        color=color,
        marker='o' if len(epochs) <= MARKED_EPOCHS else None,
        markersize=4,
        linewidth=1.8,
        label=label,
    )
    if len(runs) > 1:
        off = np.array([deviation(row) for row in values])
        band = means - off, means + off
        axes.fill_between(epochs, *band, color=color, alpha=0.15, lw=0)


def finish(axes: Axes, label: str, unit: str) -> None:
    """Label a panel.

    Args:
        axes (Axes): The panel.
        label (str): Name of the vertical axis.
        unit (str): Name of the horizontal one.
    """
    axes.set_xlabel(unit)
    axes.set_ylabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)
    # Above the panel, where it hides no epoch.
    axes.legend(loc='lower left', bbox_to_anchor=(0, 1), frameon=False)
    axes.spines[['top', 'right']].set_visible(False)
