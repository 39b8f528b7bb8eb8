import time
from collections.abc import Callable

import pytest

from benchmarks.timing import Ratio, compare, halves_differ, interleave


def test_rounds_in_turns() -> None:
    calls: list[str] = []

    def program(name: str) -> Callable[[], None]:
        def step() -> None:
            calls.append(name)
            time.sleep(0.021)

        return step

    seconds = interleave({name: program(name) for name in 'abc'}, 6, 1)
    assert all(len(times) == 6 for times in seconds.values())
    # Once before; then each turn begins with a run that does not count.
    turns = [''.join(calls[i : i + 6 : 2]) for i in range(3, len(calls), 6)]
    assert len(turns) == 6
    assert all(sorted(turn) == ['a', 'b', 'c'] for turn in turns)
    # Not always in the same order, or one would always follow another.
    assert len(set(turns)) > 1


def test_short_programs_run_in_a_row() -> None:
    calls = []
    (seconds,) = interleave({'a': lambda: calls.append(1)}, 2).values()
    assert len(calls) > 1000 and max(seconds) < 1e-3


def test_measures_what_it_says() -> None:
    seconds = interleave({'nap': lambda: time.sleep(0.01)}, 2, 1)
    assert all(0.01 <= second < 5 for second in seconds['nap'])


def test_ratio_of_least_times() -> None:
    ratio = compare([1.3, 1.2, 1.2, 5.0], [1.0, 1.0, 9.0], 0.01)
    assert ratio.value == pytest.approx(1.2)
    assert ratio.noise == pytest.approx(0.01)


@pytest.mark.parametrize(
    ('seconds', 'baseline', 'chance'),
    [
        ([1.2, 1.2], [1.0, 1.0], 0.3),
        ([1.2, 1.2], [1.3, 1.0], 0.0),
        ([1.56, 1.2], [1.0, 1.0], 0.0),
    ],
    ids=['chance', 'baseline', 'itself'],
)
def test_noise_wherever_it_shows(
    seconds: list[float], baseline: list[float], chance: float
) -> None:
    ratio = compare(seconds, baseline, chance)
    assert ratio.noise == pytest.approx(0.3)
    assert not ratio.certain
    assert str(ratio) == 'x1.20 ±30.0 % ?'


def test_judging_by_a_limit() -> None:
    assert Ratio(1.0).meets(1.0) is True
    assert Ratio(1.2, 0.1).meets(1.25) is None
    assert Ratio(1.3, 0.1).meets(1.25) is None
    assert Ratio(1.4, 0.1).meets(1.25) is False


def test_halves() -> None:
    assert halves_differ([2.0]) == 0
    assert halves_differ([1.0, 1.2, 1.0, 1.1]) == pytest.approx(0.1)
