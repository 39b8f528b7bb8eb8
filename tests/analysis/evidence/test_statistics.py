import math
import sys

import numpy as np
import pytest

pytest.importorskip('scipy')
from scipy import stats

from mlfm_mm.analysis.evidence.statistics import (
    Difference,
    check_scipy,
    paired_difference,
    spread,
)
from mlfm_mm.engine import UsageError


@pytest.mark.parametrize('count', [2, 3, 5, 20])
def test_interval_against_scipy(count: int) -> None:
    rng = np.random.default_rng(count)
    first, second = rng.normal(60, 2, (2, count))
    found = paired_difference(dict(enumerate(first)), dict(enumerate(second)))
    test = stats.ttest_rel(second, first)
    low, high = test.confidence_interval(0.95)
    assert math.isclose(found.mean, np.mean(second - first))
    assert math.isclose(found.low, low) and math.isclose(found.high, high)
    # An interval leaves out zero just where the test rejects.
    assert found.is_sure == (test.pvalue < 0.05)
    assert found.seeds == count


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(2000):
        gains = rng.normal(1.0, 3.0, 5)
        found = paired_difference(
            dict.fromkeys(range(5), 0.0), dict(enumerate(gains))
        )
        covered += found.low < 1.0 < found.high
    assert abs(covered / 2000 - 0.95) < 0.02


def test_only_pairs_count() -> None:
    plain, memory = {0: 60.0, 1: 50.0, 2: 70.0}, {1: 51.0, 2: 73.0, 9: 0.0}
    found = paired_difference(plain, memory)
    assert (found.mean, found.seeds) == (2.0, 2)
    assert paired_difference(plain, {9: 1.0}) is None


def test_one_seed_is_never_sure() -> None:
    found = paired_difference({0: 10.0}, {0: 90.0})
    assert found == Difference(80.0, 1) and not found.is_sure
    assert str(found) == '+80.0'


def test_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'scipy', None)
    assert paired_difference({0: 1.0}, {0: 2.0}) == Difference(1.0, 1)
    for runs in [9], [1, 9], [9, 1, 1]:
        check_scipy(runs)
    with pytest.raises(UsageError, match='needs scipy: pip install scipy'):
        check_scipy([2, 1, 2])
    with pytest.raises(UsageError, match='needs scipy: pip install scipy'):
        paired_difference({0: 1.0, 1: 1.0}, {0: 2.0, 1: 3.0})


def test_spread_against_numpy() -> None:
    scores = [61.3, 60.2, 64.9]
    mean, deviation = np.mean(scores), np.std(scores, ddof=1)
    assert spread(scores) == f'{mean:.1f} ± {deviation:.1f}'
