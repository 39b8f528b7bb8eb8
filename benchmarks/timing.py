"""Time several programs in turns, and say how much the clock can tell."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch.utils.benchmark import Timer

Name = TypeVar('Name', bound=Hashable)

# A sample shorter than this says more of the clock than of the program.
LEAST_SECONDS = 0.02


def interleave(
    steps: Mapping[Name, Callable[[], None]], repeats: int, warmup: int = 2
) -> dict[Name, list[float]]:
    """Time programs in turns, each round in another order.

    What drifts, the clock of a processor or another program, so meets all
    of them alike. Each turn begins with a run that is not counted, since the
    program before has filled the caches with its own.

    Args:
        steps (Mapping): The programs, by any names.
        repeats (int): Number of rounds.
        warmup (int): Runs before, which are not counted. Defaults to 2.

    Returns:
        dict: Seconds of each program, by rounds.

    Example:
        >>> seconds = interleave({'a': int, 'b': float}, repeats=3)
        >>> [len(times) for times in seconds.values()]
        [3, 3]
    """
    names = list(steps)
    # Its own generator: measuring must not change what others draw.
    shuffle = random.Random(0).shuffle
    seconds: dict[Name, list[float]] = {name: [] for name in names}
    threads = torch.get_num_threads()
    timers = {
        name: Timer('step()', globals=dict(step=step), num_threads=threads)
        for name, step in steps.items()
    }
    for step in steps.values():
        for _ in range(warmup):
            step()
    for _ in range(repeats):
        shuffle(names)
        for name in names:
            timed = timers[name].blocked_autorange(min_run_time=LEAST_SECONDS)
            seconds[name].append(min(timed.times))
    return seconds


def halves_differ(seconds: Sequence[float]) -> float:
    """Compare the least of every other sample with that of the rest."""
    if len(seconds) < 2:
        return 0.0
    return difference(min(seconds[::2]), min(seconds[1::2]))


def difference(first: float, second: float) -> float:
    """Give the part by which the larger number exceeds the smaller."""
    return max(first, second) / min(first, second) - 1


@dataclass(frozen=True)
class Ratio:
    """How much a network takes, in units of another.

    Args:
        value (float): The ratio, of times the least over the least.
        noise (float): The part by which it may be off. Defaults to 0, what
            is counted.

    Example:
        >>> print(Ratio(1.234, 0.02), Ratio(1.05, 0.08), Ratio(1.5))
        x1.23 ±2.0 % x1.05 ±8.0 % ? x1.50
    """

    value: float
    noise: float = 0.0

    @property
    def certain(self) -> bool:
        """bool: Whether the difference is larger than the noise."""
        return not self.noise or abs(self.value - 1) > self.noise

    def meets(self, limit: float) -> bool | None:
        """Judge by a limit; None where the noise leaves it open.

        Example:
            >>> ratio = Ratio(1.2, 0.02)
            >>> ratio.meets(1.25), ratio.meets(1.21), ratio.meets(1.1)
            (True, None, False)
        """
        if self.value * (1 + self.noise) <= limit:
            return True
        return False if self.value / (1 + self.noise) > limit else None

    def __str__(self) -> str:
        noise = f' ±{100 * self.noise:.1f} %' if self.noise else ''
        mark = '' if self.certain else ' ?'
        return f'x{self.value:.2f}{noise}{mark}'


def compare(
    seconds: Sequence[float], baseline: Sequence[float], chance: float
) -> Ratio:
    """Compare least times, and estimate the noise.

    Args:
        seconds (Sequence[float]): Samples of a program.
        baseline (Sequence[float]): Samples of the one it is compared with,
            taken in the same rounds.
        chance (float): The difference between two measurements of one
            program in these rounds.

    Returns:
        Ratio: The ratio. Its noise is the largest difference that chance
        was seen to make: ``chance``, and that between the halves of each
        program's samples.
    """
    noise = max(chance, halves_differ(seconds), halves_differ(baseline))
    return Ratio(min(seconds) / min(baseline), noise)
