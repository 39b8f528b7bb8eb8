import time
from collections.abc import Callable

import pandas as pd
import pytest

from benchmarks.timing import interleave, noise_of, ratio_text, verdict


def test_rounds_in_turns() -> None:
    calls: list[str] = []

    def program(name: str) -> Callable[[], None]:
        def step() -> None:
            calls.append(name)
            time.sleep(0.021)

        return step

    seconds = interleave({name: program(name) for name in 'abc'}, 6, 1)
    assert seconds.shape == (6, 3) and [*seconds] == ['a', 'b', 'c']
    # Once before; then each turn begins with a run that does not count.
    turns = [''.join(calls[i : i + 6 : 2]) for i in range(3, len(calls), 6)]
    assert len(turns) == 6
    assert all(sorted(turn) == ['a', 'b', 'c'] for turn in turns)
    # Not always in the same order, or one would always follow another.
    assert len(set(turns)) > 1


def test_short_programs_run_in_a_row() -> None:
    calls = []
    seconds = interleave({'a': lambda: calls.append(1)}, 2)
    assert len(calls) > 1000 and seconds['a'].max() < 1e-3


def test_measures_what_it_says() -> None:
    seconds = interleave({'nap': lambda: time.sleep(0.01)}, 2, 1)
    assert all(0.01 <= second < 5 for second in seconds['nap'])


@pytest.mark.parametrize(
    ('first', 'second', 'again', 'noises'),
    [
        ([1.0, 1.0, 9.0], [1.2, 1.2, 5.0], [1.01, 1.01, 1.02], (0.01, 0.01)),
        ([1.0, 1.0], [1.2, 1.2], [1.3, 1.3], (0.3, 0.3)),
        ([1.3, 1.0], [1.2, 1.2], [1.0, 1.0], (0.3, 0.3)),
        ([1.0, 1.0], [1.56, 1.2], [1.0, 1.0], (0.0, 0.3)),
    ],
    ids=['outliers', 'chance', 'baseline', 'itself'],
)
def test_noise_wherever_it_shows(
    first: list[float],
    second: list[float],
    again: list[float],
    noises: tuple[float, float],
) -> None:
    seconds = pd.DataFrame(dict(first=first, second=second, again=again))
    found = noise_of(seconds, 'first')
    assert found['first'] == pytest.approx(noises[0], abs=2e-3)
    assert found['second'] == pytest.approx(noises[1], abs=2e-3)


def test_a_difference_within_the_noise_is_none() -> None:
    assert ratio_text(1.2, 0.3) == 'x1.20 ±30.0 % ?'
    assert ratio_text(0.8, 0.1) == 'x0.80 ±10.0 %'
    assert ratio_text(1.0, 0.0) == 'x1.00'


def test_judging_by_a_limit() -> None:
    assert verdict(1.0, 0.0, 1.0) == 'met'
    assert verdict(1.2, 0.1, 1.25) == 'open'
    assert verdict(1.3, 0.1, 1.25) == 'open'
    assert verdict(1.4, 0.1, 1.25) == 'missed'
