"""What the quickstart writes of its training runs."""

from pathlib import Path

import pytest

from demo.quickstart.comparison import (
    Task,
    make_run_folder,
    make_runs,
    tabulate,
)
from demo.quickstart.recipe import Settings
from mlfm_mm.analysis.runs import Curve
from mlfm_mm.engine import UsageError

TASK = Task('digits', 10, 1442, 355, 32, 2, 64)


def curve(final: float) -> Curve:
    return Curve({1: 2.0, 2: 1.0}, {1: 80.0, 2: final}, {1: 5.0, 2: 4.0})


def test_each_seed_trains_a_pair() -> None:
    runs = make_runs(Settings(seed=4, seeds=2), None)
    assert [(run.arm, run.seed) for run in runs] == [
        ('baseline', 4),
        ('mlfm', 4),
        ('baseline', 5),
        ('mlfm', 5),
    ]
    assert [run.cfg.randomness.seed for run in runs] == [4, 4, 5, 5]


def test_the_table() -> None:
    runs = make_runs(Settings(seeds=2), None)
    plain, memory = (runs[0].title, runs[1].title)
    curves = {
        plain: {0: curve(80.5), 1: curve(81.5)},
        memory: {0: curve(91.25), 1: curve(92.25)},
    }
    table = tabulate(runs, curves, TASK)
    lines = table.markdown().splitlines()
    # The counts are those of the zoo's tables.
    assert lines[2].startswith(f'| {plain} | 176 k | 8.87 M | ')
    assert lines[2].endswith('| 81.0 ± 0.7 | 81.0 ± 0.7 | 4.00 |')
    assert lines[3].startswith(f'| {memory} | 183 k | 9.70 M | ')
    assert lines[3].endswith('| 91.8 ± 0.7 | 91.8 ± 0.7 | 4.00 |')
    assert table.caption.startswith(
        'digits: 10 classes, 1442 training and 355 validation images, 32x32 '
        'px, 2 epochs, batch 64. top-1: % of the validation images, mean ± '
        'standard deviation over seeds 0 to 1.'
    )
    assert '10.75 points above' in table.caption


def test_one_seed_is_said_to_be_one() -> None:
    runs = make_runs(Settings(seed=3, seeds=1), None)
    curves = {run.title: {3: curve(90.0)} for run in runs}
    assert 'one run each, seed 3.' in tabulate(runs, curves, TASK).caption


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    with pytest.raises(UsageError, match='no folder can be made there'):
        make_run_folder(tmp_path / 'file')
