"""Say which network is better, and how surely."""

from __future__ import annotations

import math
from statistics import fmean

from mlfm_mm.analysis.compare import Runs
from mlfm_mm.analysis.evidence.statistics import paired_difference

ELSEWHERE = (
    'Another machine or another number of threads rounds differently, so that '
    'the same seed ends elsewhere there.'
)


def verdict(networks: Runs, images: int) -> str:
    """Say which network ended higher, and whether that means anything.

    Args:
        networks (dict[str, list[TrainedRun]]): The runs of the network
            without and of the one with memory, in pairs.
        images (int): Number of validation images.

    Returns:
        str: Some sentences.
    """
    baseline, mlfm = networks
    before, after = (
        dict(enumerate(run.curve.final for run in runs))
        for runs in networks.values()
    )
    difference = paired_difference(before, after)
    assert difference is not None
    gain = difference.mean
    first = f'{mlfm} and {baseline} end level.'
    if round(gain, 2) != 0:
        side = 'above' if gain > 0 else 'below'
        first = f'{mlfm} ends {abs(gain):.2f} points {side} {baseline}.'
    if difference.low is None:
        chance = chance_difference(fmean(before.values()), gain, images)
        how = (
            f'With {images} validation images and one seed, differences under '
            f'about {chance:.1f} points are within chance.'
        )
    else:
        sure = 'beyond' if difference.is_sure else 'within'
        how = (
            f'Over {difference.seeds} pairs of runs that is {difference} '
            f'points (95 % interval), {sure} what chance explains.'
        )
    return f'{first} {how} {ELSEWHERE}'


def chance_difference(baseline: float, gain: float, images: int) -> float:
    """Estimate which difference of accuracies chance alone explains.

    Twice the standard error of the difference of two proportions; the
    spread between seeds comes on top of it.

    Args:
        baseline (float): An accuracy in percent.
        gain (float): How much higher another one is.
        images (int): Number of images that each was measured on.

    Returns:
        float: The difference in points.

    Example:
        >>> round(chance_difference(90, 0, 400), 1)
        4.3
    """
    # Half an image is added to either side: at 100 % the plain formula
    # would claim certainty.
    shares = [
        (p / 100 * images + 0.5) / (images + 1)
        for p in (baseline, baseline + gain)
    ]
    variance = sum(p * (1 - p) / images for p in shares)
    return 200 * math.sqrt(variance)
