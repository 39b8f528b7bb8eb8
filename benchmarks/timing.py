"""Time several programs in turns, and estimate the noise."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import numpy as np
import pandas as pd
import torch
from torch.utils.benchmark import Timer

Name = TypeVar('Name', bound=Hashable)
Number = TypeVar('Number', float, pd.Series)

# A shorter sample measures the clock rather than the program.
LEAST_SECONDS = 0.02


def interleave(
    steps: Mapping[Name, Callable[[], None]], repeats: int, warmup: int = 2
) -> pd.DataFrame:
    """Time programs in turns, each round in another order.

    Drift, of the processor's clock or by other programs, so affects all of
    them alike. Each turn begins with a run that is not counted, since the
    program before has filled the caches.

    Args:
        steps (Mapping): The programs, by any names.
        repeats (int): Number of rounds.
        warmup (int): Runs before, which are not counted. Defaults to 2.

    Returns:
        DataFrame: Seconds: a row for each round, a column for each program.

    Example:
        >>> interleave({'a': int, 'b': float}, repeats=3).shape
        (3, 2)
    """
    threads = torch.get_num_threads()
    timers = {
        name: Timer('step()', globals=dict(step=step), num_threads=threads)
        for name, step in steps.items()
    }
    for step in steps.values():
        for _ in range(warmup):
            step()
    names = list(steps)
    seconds: dict[Name, list[float]] = {name: [] for name in names}
    # Its own generator: measuring must not change the global random state.
    shuffle = random.Random(0).shuffle
    for _ in range(repeats):
        shuffle(names)
        for name in names:
            timed = timers[name].blocked_autorange(min_run_time=LEAST_SECONDS)
            seconds[name].append(min(timed.times))
    return pd.DataFrame(seconds)


def difference(first: Number, second: Number) -> Number:
    """Compute by what fraction the larger number exceeds the smaller.

    Example:
        >>> float(difference(1.0, 1.5))
        0.5
    """
    return np.maximum(first, second) / np.minimum(first, second) - 1


def noise_of(seconds: pd.DataFrame, base: Hashable) -> pd.Series:
    """Estimate how far the ratios of least times may be off.

    Args:
        seconds (DataFrame): From :func:`interleave`; its last column is that
            of the first program once more.
        base (Hashable): The program that the others are compared with.

    Returns:
        Series: For each program the largest relative difference between two
        measurements of the same: of the first program, and of the halves of
        the samples of the program and of ``base``.
    """
    halves = difference(seconds[::2].min(), seconds[1::2].min())
    least = seconds.min()
    chance = difference(least.iloc[0], least.iloc[-1])
    return halves.clip(lower=max(chance, halves[base]))


def ratio_text(ratio: float, noise: float) -> str:
    """Format a ratio with its noise, and ``?`` where that hides a difference.

    Example:
        >>> ratio_text(1.234, 0.02), ratio_text(1.05, 0.08), ratio_text(1.5, 0)
        ('x1.23 ±2.0 %', 'x1.05 ±8.0 % ?', 'x1.50')
    """
    error = f' ±{100 * noise:.1f} %' if noise else ''
    return f'x{ratio:.2f}{error}{doubt(ratio, noise)}'


def doubt(ratio: float, noise: float) -> str:
    """Mark a difference that does not exceed the noise."""
    return ' ?' if noise and abs(ratio - 1) <= noise else ''


def verdict(ratio: float, noise: float, limit: float) -> str:
    """Judge a ratio by a limit; open if the noise does not decide it.

    Example:
        >>> [verdict(1.2, 0.02, limit) for limit in (1.25, 1.21, 1.1)]
        ['met', 'open', 'missed']
    """
    if ratio * (1 + noise) <= limit:
        return 'met'
    return 'missed' if ratio / (1 + noise) > limit else 'open'
