"""What the quickstart writes of its training runs."""

from pathlib import Path

import pytest
from rich.console import Console

from demo.quickstart.comparison import (
    Task,
    lay_out,
    make_run_folder,
    make_runs,
)
from demo.quickstart.recipe import Settings
from mlfm_mm.analysis.compare import TrainedRun, summarize
from mlfm_mm.analysis.runs import Curve
from mlfm_mm.analysis.tables import Table
from mlfm_mm.engine import UsageError

TASK = Task('digits', 10, 1442, 355, 32, 2, 64)


def curve(final: float) -> Curve:
    return Curve({1: 2.0, 2: 1.0}, {1: 80.0, 2: final}, {1: 5.0, 2: 4.0})


def table_of(settings: Settings, finals: dict[str, list[float]]) -> Table:
    networks: dict[str, list[TrainedRun]] = {}
    for run in make_runs(settings, None):
        found = networks.setdefault(run.title, [])
        scores = curve(finals[run.arm][len(found)])
        found.append(TrainedRun(Path(), run.cfg, run.seed, scores, None, None))
    return lay_out(networks, summarize(networks), TASK)


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
    finals = dict(baseline=[80.5, 81.5], mlfm=[91.25, 92.25])
    table = table_of(Settings(seeds=2), finals)
    lines = table.markdown().splitlines()
    assert lines[0].endswith('| s/epoch | best top-1 | final top-1 |')
    console = Console(width=80, record=True)
    console.print(table.rich())
    assert '│ ResNet-18 w8 + MLFM │' in console.export_text()
    # The counts are those of the zoo's tables.
    assert lines[2] == (
        '| ResNet-18 w8 | 176 k | 8.87 M | 4.00 | 81.0 ± 0.7 | 81.0 ± 0.7 |'
    )
    assert lines[3] == (
        '| ResNet-18 w8 + MLFM | 183 k | 9.70 M | 4.00 | 91.8 ± 0.7 '
        '| 91.8 ± 0.7 |'
    )
    assert table.caption.startswith(
        'digits: 10 classes, 1442 training and 355 validation images, 32x32 '
        'px, 2 epochs, batch 64. top-1: % of the validation images, mean ± '
        'standard deviation over seeds 0 to 1.'
    )
    assert '10.75 points above' in table.caption


def test_one_seed_is_said_to_be_one() -> None:
    finals = dict(baseline=[90.0], mlfm=[90.0])
    table = table_of(Settings(seed=3, seeds=1), finals)
    assert 'one run each, seed 3.' in table.caption


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    with pytest.raises(UsageError, match='no folder can be made there'):
        make_run_folder(tmp_path / 'file')
