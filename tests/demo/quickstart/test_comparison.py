"""What the quickstart says of two training runs."""

from pathlib import Path

import pytest

from demo.quickstart.comparison import (
    BASELINE,
    MLFM,
    Task,
    make_run_folder,
    tabulate,
    verdict,
)
from demo.quickstart.recipe import Settings, make_config
from mlfm_mm.analysis.runs import Curve
from mlfm_mm.engine import UsageError


def curve(final: float) -> Curve:
    return Curve({1: 2.0, 2: 1.0}, {1: 90.0, 2: final}, {1: 5.0, 2: 4.0})


def test_the_table() -> None:
    configs = {
        title: make_config(arm, Settings(), None)
        for title, arm in ((BASELINE, 'baseline'), (MLFM, 'mlfm'))
    }
    curves = {BASELINE: curve(80.5), MLFM: curve(91.25)}
    task = Task('digits', 10, 1442, 355, 32, 2, 64)
    table = tabulate(configs, curves, task, seed=3)
    lines = table.markdown().splitlines()
    # The counts are those of the zoo's tables.
    assert (
        lines[2] == f'| {BASELINE} | 701 k | 35.0 M | 90.00 | 80.50 | 4.00 |'
    )
    assert lines[3] == f'| {MLFM} | 721 k | 37.0 M | 91.25 | 91.25 | 4.00 |'
    assert table.caption.startswith(
        'digits: 10 classes, 1442 training and 355 validation images, 32x32 '
        'px, 2 epochs, batch 64; one run each, seed 3.'
    )


@pytest.mark.parametrize(
    ('final', 'words'),
    [
        (91.0, f'{MLFM} ends 1.00 points above {BASELINE}.'),
        (88.5, f'{MLFM} ends 1.50 points below {BASELINE}.'),
        (90.0, f'{MLFM} and {BASELINE} end level.'),
    ],
)
def test_verdict_names_the_winner(final: float, words: str) -> None:
    said = verdict(curve(90.0), curve(final), 400)
    assert said.startswith(words)
    assert 'one seed' in said and 'within chance' in said
    # A newcomer's run ends elsewhere than the published one.
    assert 'the same seed ends elsewhere there' in said


def test_certainty_is_never_claimed() -> None:
    said = verdict(curve(100.0), curve(100.0), 10)
    assert 'under about 0.0' not in said


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    with pytest.raises(UsageError, match='no folder can be made there'):
        make_run_folder(tmp_path / 'file')
