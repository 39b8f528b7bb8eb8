"""What the quickstart says of its training runs."""

from pathlib import Path

import pytest
from mmengine.config import Config

from demo.quickstart.verdict import verdict
from mlfm_mm.analysis.compare import TrainedRun
from mlfm_mm.analysis.runs import Curve

PLAIN, MEMORY = 'net', 'net + MLFM'


def curve(final: float) -> Curve:
    return Curve({1: 2.0, 2: 1.0}, {1: 80.0, 2: final}, {1: 5.0, 2: 4.0})


def say(plain: list[float], memory: list[float], images: int = 400) -> str:
    finals = {PLAIN: plain, MEMORY: memory}
    networks = {
        name: [
            TrainedRun(Path(), Config(), seed, curve(final), None, None)
            for seed, final in enumerate(values)
        ]
        for name, values in finals.items()
    }
    return verdict(networks, images)


@pytest.mark.parametrize(
    ('final', 'words'),
    [
        (91.0, f'{MEMORY} ends 1.00 points above {PLAIN}.'),
        (88.5, f'{MEMORY} ends 1.50 points below {PLAIN}.'),
        (90.0, f'{MEMORY} and {PLAIN} end level.'),
    ],
)
def test_the_winner_is_named(final: float, words: str) -> None:
    said = say([90.0], [final])
    assert said.startswith(words)
    assert 'one seed' in said and 'within chance' in said
    # A newcomer's run ends elsewhere than the published one.
    assert 'the same seed ends elsewhere there' in said


def test_certainty_is_never_claimed_of_one_seed() -> None:
    assert 'under about 0.0' not in say([100.0], [100.0], 10)


@pytest.mark.parametrize(
    ('memory', 'words'),
    [
        ([93.0, 94.0, 94.0], 'beyond what chance explains'),
        ([88.0, 96.0, 91.0], 'within what chance explains'),
    ],
)
def test_several_seeds_tell_how_sure_it_is(
    memory: list[float], words: str
) -> None:
    said = say([90.0, 90.0, 90.0], memory)
    assert 'Over 3 pairs of runs' in said and words in said
