"""Time several programs in turns, and say how much the clock can tell."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TypeVar

Step = Callable[[], None]
Name = TypeVar('Name')

# A sample shorter than this says more of the clock than of the program.
LEAST_SECONDS = 0.02


def nothing() -> None:
    """Wait for no device, tell no one."""


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector from running inside a measurement."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def time_once(step: Step, times: int, synchronize: Step = nothing) -> float:
    """Measure the seconds of a step, the mean of some in a row."""
    synchronize()
    start = time.perf_counter()
    for _ in range(times):
        step()
    synchronize()
    return (time.perf_counter() - start) / times


def interleave(
    steps: Mapping[Name, Step],
    repeats: int,
    warmup: int = 2,
    synchronize: Step = nothing,
    on_round: Step = nothing,
) -> dict[Name, list[float]]:
    """Time programs in turns, each round in another order.

    What drifts, the clock of a processor or another program, so meets all
    of them alike.

    Args:
        steps (Mapping): The programs, by any names.
        repeats (int): Number of rounds.
        warmup (int): Rounds before, which are not counted. Defaults to 2.
        synchronize (Callable): Waits for the device. Defaults to nothing.
        on_round (Callable): Called after each round. Defaults to nothing.

    Returns:
        dict: Seconds of each program, by rounds.

    Example:
        >>> seconds = interleave({'a': nothing, 'b': nothing}, repeats=3)
        >>> [len(times) for times in seconds.values()]
        [3, 3]
    """
    names = list(steps)
    # Its own generator: measuring must not change what others draw.
    shuffle = random.Random(0).shuffle
    seconds: dict[Name, list[float]] = {name: [] for name in names}
    with no_collection():
        for _ in range(warmup):
            last = [time_once(steps[name], 1, synchronize) for name in names]
            on_round()
        fastest = min(last) if warmup else LEAST_SECONDS
        times = max(1, min(1000, round(LEAST_SECONDS / max(fastest, 1e-9))))
        for _ in range(repeats):
            shuffle(names)
            for name in names:
                taken = time_once(steps[name], times, synchronize)
                seconds[name].append(taken)
            on_round()
    return seconds


def spread(seconds: Sequence[float]) -> float:
    """Give the middle half of the samples' range, as a part of the median.

    Example:
        >>> spread([1.0, 1.0, 1.0, 1.0]), spread([1.0])
        (0.0, 0.0)
    """
    if len(seconds) < 2:
        return 0.0
    low, _, high = quantiles(seconds, n=4, method='inclusive')
    return (high - low) / median(seconds)


def halves_differ(seconds: Sequence[float]) -> float:
    """Compare the least of every other sample with that of the rest.

    Example:
        >>> halves_differ([1.0, 1.5, 2.0, 3.0])
        0.5
    """
    if len(seconds) < 2:
        return 0.0
    first, second = min(seconds[::2]), min(seconds[1::2])
    return max(first, second) / min(first, second) - 1


@dataclass(frozen=True)
class Ratio:
    """How long a program takes, in units of another.

    Args:
        value (float): Least time over least time.
        noise (float): The part by which it may be off.

    Example:
        >>> print(Ratio(1.234, 0.02))
        x1.23 (noise 2.0 %)
        >>> print(Ratio(1.05, 0.08))
        x1.05: no verdict, noise 8.0 % exceeds the difference
    """

    value: float
    noise: float

    @property
    def certain(self) -> bool:
        """bool: Whether the difference is larger than the noise."""
        return abs(self.value - 1) > self.noise

    @property
    def short(self) -> str:
        """str: The ratio for a table; a question mark: no verdict.

        Example:
            >>> Ratio(1.234, 0.02).short, Ratio(1.05, 0.08).short
            ('1.23 ±2.0 %', '1.05 ±8.0 % ?')
        """
        mark = '' if self.certain else ' ?'
        return f'{self.value:.2f} ±{100 * self.noise:.1f} %{mark}'

    def meets(self, limit: float) -> bool | None:
        """Judge by a limit.

        Args:
            limit (float): What the ratio should not exceed.

        Returns:
            bool | None: None where the noise leaves it open.

        Example:
            >>> ratio = Ratio(1.2, 0.02)
            >>> ratio.meets(1.25), ratio.meets(1.21), ratio.meets(1.1)
            (True, None, False)
        """
        if self.value * (1 + self.noise) <= limit:
            return True
        return False if self.value / (1 + self.noise) > limit else None

    def __str__(self) -> str:
        noise = f'noise {100 * self.noise:.1f} %'
        if self.certain:
            return f'x{self.value:.2f} ({noise})'
        return f'x{self.value:.2f}: no verdict, {noise} exceeds the difference'


def compare(
    seconds: Sequence[float],
    baseline: Sequence[float],
    again: Sequence[float],
) -> Ratio:
    """Compare least times, and estimate the noise.

    The noise is the largest difference that chance is seen to make: between
    two measurements of the baseline in the same rounds, and between the
    halves of each program's samples.

    Args:
        seconds (Sequence[float]): Samples of a program.
        baseline (Sequence[float]): Samples of the one it is compared with.
        again (Sequence[float]): More samples of a same program, taken in
            the same rounds: the baseline, measured a second time.

    Returns:
        Ratio: The ratio.

    Example:
        >>> compare([1.3, 1.2], [1.0, 1.0], [1.01, 1.1]).value
        1.2
    """
    first, second = min(baseline), min(again)
    noise = max(
        max(first, second) / min(first, second) - 1,
        halves_differ(seconds),
        halves_differ(baseline),
    )
    return Ratio(min(seconds) / first, noise)
