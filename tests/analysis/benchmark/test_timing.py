import time

import pytest

from mlfm_mm.analysis.benchmark import timing
from mlfm_mm.analysis.benchmark.timing import (
    Ratio,
    compare,
    halves_differ,
    interleave,
    spread,
)


class Clock:
    """A clock that only programs move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.calls: list[str] = []
        monkeypatch.setattr(timing.time, 'perf_counter', lambda: self.now)

    def program(self, name: str, seconds: float):
        def step() -> None:
            self.calls.append(name)
            self.now += seconds

        return step


def test_rounds_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    steps = {name: clock.program(name, 1.0) for name in 'abc'}
    rounds = []
    seconds = interleave(steps, 8, 2, on_round=lambda: rounds.append(1))
    assert len(rounds) == 10
    assert seconds == {name: [1.0] * 8 for name in 'abc'}
    turns = [''.join(clock.calls[i : i + 3]) for i in range(6, 30, 3)]
    assert all(sorted(turn) == ['a', 'b', 'c'] for turn in turns)
    # Not always in the same order, or one would always follow another.
    assert len(set(turns)) > 2


def test_short_programs_run_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    steps = dict(short=clock.program('s', 1e-3), long=clock.program('l', 1.0))
    seconds = interleave(steps, repeats=2)
    # As often as makes a sample of the shortest one long enough.
    assert clock.calls.count('s') == clock.calls.count('l') == 2 + 2 * 20
    assert seconds['short'] == pytest.approx([1e-3, 1e-3])


def test_the_device_is_waited_for() -> None:
    waits = []
    interleave({'a': lambda: None}, 1, 1, lambda: waits.append(1))
    # Before and after each sample.
    assert len(waits) == 4


def test_collection_goes_on_after_an_error() -> None:
    import gc

    def fail() -> None:
        raise RuntimeError('stop')

    with pytest.raises(RuntimeError, match='stop'):
        interleave({'a': fail}, 1)
    assert gc.isenabled()


def test_measures_what_it_says() -> None:
    seconds = interleave({'nap': lambda: time.sleep(0.01)}, 2, 1)
    assert all(0.01 <= second < 5 for second in seconds['nap'])


def test_ratio_of_least_times() -> None:
    ratio = compare([1.3, 1.2, 1.2, 5.0], [1.0, 1.0, 9.0], [1.01, 1.2])
    assert ratio.value == pytest.approx(1.2)
    assert ratio.noise == pytest.approx(0.01)


@pytest.mark.parametrize(
    ('seconds', 'baseline', 'again'),
    [
        ([1.2, 1.2], [1.0, 1.0], [1.3, 1.4]),
        ([1.2, 1.2], [1.3, 1.0], [1.0, 1.0]),
        ([1.56, 1.2], [1.0, 1.0], [1.0, 1.0]),
    ],
    ids=['again', 'baseline', 'itself'],
)
def test_noise_wherever_it_shows(seconds, baseline, again) -> None:
    ratio = compare(seconds, baseline, again)
    assert ratio.noise == pytest.approx(0.3)
    assert not ratio.certain
    assert 'no verdict' in str(ratio) and '30.0 %' in str(ratio)
    assert ratio.short.endswith('?')


def test_judging_by_a_limit() -> None:
    assert Ratio(1.0, 0.0).meets(1.0) is True
    assert Ratio(1.2, 0.1).meets(1.25) is None
    assert Ratio(1.3, 0.1).meets(1.25) is None
    assert Ratio(1.4, 0.1).meets(1.25) is False


def test_spread_and_halves() -> None:
    assert spread([2.0]) == halves_differ([2.0]) == 0
    assert spread([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx(2 / 3)
    assert halves_differ([1.0, 1.2, 1.0, 1.1]) == pytest.approx(0.1)
