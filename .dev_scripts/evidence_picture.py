"""Draw what the records of each plan say, beside them.

    python .dev_scripts/evidence_picture.py

On the left the learning curves, means over the seeds with all seeds behind
them; on the right the differences, seed by seed and with their interval.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from evidence_page import METRICS, RESULTS, Evidence, read_evidence

ROOT = Path(__file__).resolve().parents[1]
COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00')


def draw(evidence: Evidence, path: Path) -> None:
    """Draw a plan.

    Args:
        evidence (Evidence): The plan and its records.
        path (Path): The picture to write.
    """
    scores = evidence.scores()
    arms = [arm for arm in evidence.arms if arm.name in scores]
    colors = {arm.name: COLORS[i % len(COLORS)] for i, arm in enumerate(arms)}
    titles = {arm.name: arm.title for arm in arms}
    # Figure, not pyplot: it needs no display and leaves no state behind.
    figure = Figure(figsize=(10, 4), dpi=120, layout='constrained')
    figure.suptitle(evidence.plan.title)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    for name, color in colors.items():
        label = f'{titles[name]} (n = {len(scores[name])})'
        draw_curves(left, curves_of(evidence, name), color, label)
    left.set(xlabel='epoch', ylabel=METRICS[evidence.plan.metric])
    left.legend(loc='lower right')
    baseline = evidence.plan.baselines[0]
    others = [name for name in colors if name != baseline]
    for row, name in enumerate(others):
        draw_difference(right, evidence, name, row, colors[name])
    right.axvline(0, color='grey', linewidth=1)
    right.set(
        yticks=range(len(others)),
        yticklabels=[titles[name] for name in others],
        ylim=(len(others) - 0.5, -0.5),
        xlabel=f'points against {titles.get(baseline, baseline)}',
    )
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.xaxis.set_major_locator(MaxNLocator(5))
    for axes in (left, right):
        axes.spines[['top', 'right']].set_visible(False)
    figure.savefig(path)


def curves_of(evidence: Evidence, arm: str) -> list[dict[int, float]]:
    """Get the scores by epoch of all seeds of an arm."""
    return [
        {int(epoch): score for epoch, score in record['by_epoch'].items()}
        for record in evidence.records
        if record['arm'] == arm
    ]


def draw_curves(
    axes: Axes, curves: list[dict[int, float]], color: str, label: str
) -> None:
    """Draw the seeds thin and their mean bold."""
    epochs = sorted(curves[0])
    for curve in curves:
        axes.plot(epochs, [curve[e] for e in epochs], color=color, alpha=0.25)
    means = [fmean(curve[e] for curve in curves) for e in epochs]
    axes.plot(epochs, means, color=color, linewidth=2, label=label)


def draw_difference(
    axes: Axes, evidence: Evidence, arm: str, row: int, color: str
) -> None:
    """Draw each seed's difference, their mean and its interval."""
    baseline = evidence.plan.baselines[0]
    gain = evidence.difference(arm, baseline)
    if gain is None:
        return
    first, second = (evidence.scores()[name] for name in (baseline, arm))
    dots = [second[seed] - first[seed] for seed in second if seed in first]
    axes.plot(dots, [row] * len(dots), 'o', color=color, alpha=0.35)
    if gain.low is not None and gain.high is not None:
        axes.plot([gain.low, gain.high], [row, row], color=color)
    axes.plot(gain.mean, row, 'D', color=color)


def main() -> None:
    """Draw all plans that have begun."""
    for evidence in read_evidence(ROOT):
        path = ROOT / RESULTS / f'{evidence.plan.name}.png'
        draw(evidence, path)
        print(f'wrote {path.relative_to(ROOT)}')


if __name__ == '__main__':
    main()
