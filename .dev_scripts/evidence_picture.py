"""Draw the records of each plan, into their folder.

    python .dev_scripts/evidence_picture.py

On the left the learning curves, means over the seeds, with all seeds behind
them where few networks leave room; on the right, in the same colours, the
differences, seed by seed and with their interval.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from evidence_records import METRICS, RESULTS, Evidence, read_evidence
from mlfm_mm.analysis import plots

ROOT = Path(__file__).resolve().parents[1]
COLORS = (*plots.COLORS, '#000000', '#8c564b', '#7f7f7f', '#9edae5')
FEW = 4
LABEL_WIDTH = 27


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
    height = 4 + 0.3 * max(0, len(arms) - FEW)
    figure = Figure(figsize=(10, height), dpi=120, layout='constrained')
    figure.suptitle(evidence.plan.title)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    for row, (name, color) in enumerate(colors.items()):
        curves = curves_of(evidence, name)
        draw_curves(left, curves, color, seeds=len(arms) <= FEW)
        draw_difference(right, evidence, name, row, color)
    left.set(xlabel='epoch', ylabel=METRICS[evidence.plan.metric])
    baseline = evidence.plan.baselines[0]
    right.axvline(0, color='grey', linewidth=1, zorder=0)
    right.set(
        yticks=range(len(arms)),
        yticklabels=[
            fill(
                f'{arm.title} (n\xa0=\xa0{len(scores[arm.name])})', LABEL_WIDTH
            )
            for arm in arms
        ],
        ylim=(len(arms) - 0.5, -0.5),
        xlabel=f'points against {titles.get(baseline, baseline)}',
    )
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.xaxis.set_major_locator(MaxNLocator(5))
    # These labels are the legend of the curves, too.
    for label, color in zip(
        right.get_yticklabels(), colors.values(), strict=True
    ):
        label.set(color=color, fontweight='bold')
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
    axes: Axes, curves: list[dict[int, float]], color: str, seeds: bool
) -> None:
    """Draw the mean bold and perhaps the seeds thin."""
    epochs = sorted(curves[0])
    for curve in curves if seeds else ():
        axes.plot(epochs, [curve[e] for e in epochs], color=color, alpha=0.25)
    means = [fmean(curve[e] for curve in curves) for e in epochs]
    axes.plot(epochs, means, color=color, linewidth=2)


def draw_difference(
    axes: Axes, evidence: Evidence, arm: str, row: int, color: str
) -> None:
    """Draw each seed's difference, their mean and its interval."""
    baseline = evidence.plan.baselines[0]
    gain = evidence.difference(arm, baseline)
    if gain is None:
        axes.plot(0, row, 'D', color=color)
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
