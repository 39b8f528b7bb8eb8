"""Means, deviations and paired differences over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import fmean, stdev

from ...engine import UsageError


@dataclass(frozen=True)
class Difference:
    """How much two networks differ over the seeds that both have.

    Args:
        mean (float): Mean of the differences.
        seeds (int): Number of seeds.
        low (float, optional): Lower end of the interval. Defaults to None,
            unknown, as for a single seed.
        high (float, optional): Its upper end. Defaults to None.
    """

    mean: float
    seeds: int
    low: float | None = None
    high: float | None = None

    @property
    def is_sure(self) -> bool:
        """bool: Whether the interval excludes zero."""
        if self.low is None or self.high is None:
            return False
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        if self.low is None:
            return f'{self.mean:+.1f}'
        return f'{self.mean:+.1f} [{self.low:+.1f}, {self.high:+.1f}]'


def paired_difference(
    baseline: Mapping[int, float], other: Mapping[int, float]
) -> Difference | None:
    """Compare two networks seed by seed, by Student's t.

    Args:
        baseline (Mapping[int, float]): Scores of one network by seed.
        other (Mapping[int, float]): Scores of the other.

    Returns:
        Difference | None: ``other`` minus ``baseline``, with its 95 %
        interval; None if they have no seed in common.

    Raises:
        UsageError: They have several, and scipy is not installed.

    Example:
        >>> plain, memory = {0: 60.0, 1: 61.0, 2: 62.0}, {0: 62.0, 1: 64.0}
        >>> print(paired_difference(plain, {**memory, 2: 63.0}))
        +2.0 [-0.5, +4.5]
        >>> print(paired_difference(plain, {1: 64.0, 7: 50.0}))
        +3.0
    """
    gains = [other[s] - baseline[s] for s in sorted(baseline) if s in other]
    if not gains:
        return None
    if len(gains) == 1:
        return Difference(gains[0], 1)
    check_scipy([len(gains)] * 2)
    # Imported here, because the package does not require scipy.
    from scipy.stats import t

    mean, half = fmean(gains), t.ppf(0.975, len(gains) - 1)
    half *= deviation(gains) / len(gains) ** 0.5
    return Difference(mean, len(gains), mean - half, mean + half)


def check_scipy(runs: Sequence[int]) -> None:
    """Raise an error if there are pairs of runs, but no scipy.

    Args:
        runs (Sequence[int]): The number of runs of each network; the first
            is the baseline.

    Raises:
        UsageError: It is not installed.

    Example:
        >>> check_scipy([5, 5])
    """
    first, *others = runs
    if min(first, max(others, default=0)) > 1 and find_spec('scipy') is None:
        raise UsageError(
            'the interval of a difference between several runs of two '
            'networks needs scipy: pip install scipy'
        )


def align(
    seeds: Mapping[str, Sequence[int | None]],
) -> tuple[dict[str, Sequence[int]], str]:
    """Decide how the runs of several networks are paired.

    Args:
        seeds (Mapping): The seeds of each network's runs, None where one is
            not known; the first network is the baseline.

    Returns:
        tuple[dict[str, Sequence[int]], str]: Keys of each network's runs, for
        :func:`paired_difference`: their seeds or, where one is not known, or
        occurs twice, their order. Then runs without a partner get keys that
        the baseline lacks. And words on it for a caption.

    Example:
        >>> align(dict(a=[0, 1], b=[1]))[0]
        {'a': [0, 1], 'b': [1]}
        >>> keys, words = align(dict(a=[None, None], b=[3, 5], c=[7]))
        >>> keys
        {'a': range(0, 2), 'b': range(0, 2), 'c': range(2, 3)}
        >>> words
        'over pairs of them in order, with their 95 % interval; none where
        their numbers differ'
    """
    interval = 'with their 95 % interval'
    known = {
        name: [seed for seed in found if seed is not None]
        for name, found in seeds.items()
    }
    if all(len(set(known[n])) == len(seeds[n]) for n in seeds):
        return {**known}, f'over the seeds in common, {interval}'
    words = f'over pairs of them in order, {interval}'
    lengths = [len(found) for found in seeds.values()]
    if len(set(lengths)) > 1:
        words += '; none where their numbers differ'
    starts = [lengths[0] * (length != lengths[0]) for length in lengths]
    return {
        name: range(start, start + length)
        for name, start, length in zip(seeds, starts, lengths, strict=True)
    }, words


def deviation(values: Sequence[float]) -> float:
    """Compute the standard deviation of a sample.

    Args:
        values (Sequence[float]): Two or more.

    Returns:
        float: The deviation; NaN where a value is infinite or no number, of
        which :func:`statistics.stdev` makes an error.

    Example:
        >>> deviation([60.0, 62.0, 64.0]), deviation([60.0, math.nan])
        (2.0, nan)
    """
    return stdev(values) if all(map(math.isfinite, values)) else math.nan


def spread(scores: Sequence[float]) -> str:
    """Format the mean and the deviation of scores.

    Args:
        scores (Sequence[float]): One score per seed.

    Returns:
        str: Their mean and, of two or more, their standard deviation.

    Example:
        >>> spread([60.0, 62.0, 64.0]), spread([60.0])
        ('62.0 ± 2.0', '60.0')
    """
    off = deviation(scores) if len(scores) > 1 else None
    return plus_minus(fmean(scores), off)


def plus_minus(mean: float, off: float | None) -> str:
    """Format a mean and, where it is known, the deviation."""
    return f'{mean:.1f}' if off is None else f'{mean:.1f} ± {off:.1f}'
