"""Pictures of training runs."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .runs import Curve

# Told apart by people who do not see red and green, and in print.
COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7')
STYLES = ('--', '-', ':', '-.')
MARKED_EPOCHS = 30


def plot_curves(
    curves: Mapping[str, Curve],
    path: Path,
    title: str,
    score_label: str = 'validation top-1 accuracy (%)',
    unit: str = 'epoch',
) -> None:
    """Draw validation score and training loss of several runs.

    Args:
        curves (Mapping[str, Curve]): The runs by their names.
        path (Path): The picture to write.
        title (str): What stands above both panels.
        score_label (str): Name of the score. Defaults to
            'validation top-1 accuracy (%)'.
        unit (str): What the runs count. Defaults to 'epoch'.
    """
    # Figure, not pyplot: it needs no display and leaves no state behind.
    figure = Figure(figsize=(10, 4.4), dpi=150, layout='constrained')
    figure.suptitle(title, fontsize=12)
    left, right = figure.subplots(1, 2)
    for index, (name, curve) in enumerate(curves.items()):
        draw_score(left, curve, name, index, unit)
        label = name
        if curve.loss:
            label = f'{name}: final {curve.loss[max(curve.loss)]:.3f}'
        draw(right, curve.loss, label, index)
    finish(left, score_label, unit)
    mean = ', mean of the epoch' if unit == 'epoch' else ''
    finish(right, f'training loss{mean}', unit)
    figure.savefig(path)


def draw_score(
    axes: Axes, curve: Curve, name: str, index: int, unit: str
) -> None:
    """Draw the score of a run, and mark where it was best.

    Args:
        axes (Axes): The panel.
        curve (Curve): The run.
        name (str): Its name.
        index (int): Its number, which chooses colour and style.
        unit (str): What the run counts.
    """
    label = (
        f'{name}: best {curve.best:.2f} ({unit} {curve.best_at}), '
        f'final {curve.final:.2f}'
    )
    draw(axes, curve.score, label, index)
    axes.plot(
        curve.best_at,
        curve.best,
        '*',
        color=COLORS[index % len(COLORS)],
        markersize=13,
        markeredgecolor='white',
    )


def draw(axes: Axes, values: dict[int, float], label: str, index: int) -> None:
    """Draw one line.

    Args:
        axes (Axes): The panel.
        values (dict[int, float]): A value for each epoch.
        label (str): What the legend says.
        index (int): The number of the run, which chooses colour and style.
    """
    epochs = sorted(values)
    axes.plot(
        epochs,
        [values[epoch] for epoch in epochs],
        STYLES[index % len(STYLES)],
        color=COLORS[index % len(COLORS)],
        marker='o' if len(epochs) <= MARKED_EPOCHS else None,
        markersize=4,
        linewidth=1.8,
        label=label,
    )


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
    for side in ('top', 'right'):
        axes.spines[side].set_visible(False)
