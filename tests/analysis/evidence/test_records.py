from pathlib import Path
from unittest.mock import Mock

import pytest

from mlfm_mm.analysis.evidence import (
    make_record,
    pending_runs,
    read_plan,
    read_records,
    records,
    write_record,
)
from mlfm_mm.analysis.evidence.plan import (
    FINGERPRINT,
    Run,
    fingerprint,
    make_config,
)
from mlfm_mm.engine import UsageError
from tests.analysis.evidence.test_plan import write_plan
from tests.analysis.test_runs import write

SCORED = [{'accuracy/top1': 1.0, 'step': 1}]


def write_run(folder: Path, run: Run, scalars: list[dict]) -> Path:
    """Write what a finished run leaves."""
    write(folder, '20260101_000000', scalars)
    (folder / FINGERPRINT).write_text(fingerprint(make_config(run, folder)))
    return folder


def test_a_finished_run(tmp_path: Path) -> None:
    plan = read_plan(write_plan(tmp_path))
    run = list(plan.runs())[1]
    scalars = [
        dict(epoch_loss=1.0, epoch_time=4.0, step=1),
        {'accuracy/top1': 60.0, 'step': 1},
        dict(epoch_loss=1.0, epoch_time=3.0, step=2),
        {'accuracy/top1': 50.0, 'step': 2},
    ]
    work = write_run(tmp_path / 'work', run, scalars)
    file = tmp_path / 'results' / 'plan.jsonl'
    assert read_records(file) == []
    write_record(file, make_record(plan, run, work))
    (record,) = read_records(file)
    assert (record['arm'], record['seed']) == ('deep', 3)
    assert record['overrides'] == {'model.depth': 2}
    assert (record['final'], record['best']) == (50.0, 60.0)
    assert record['by_epoch'] == {'1': 60.0, '2': 50.0}
    assert (record['seconds'], record['epoch_seconds']) == (7.0, 3.0)
    assert {'torch', 'mlfm_mm'} <= set(record['versions'])
    pending = [run.name for run in pending_runs(plan, [record])]
    assert pending == ['plain_s3', 'plain_s4', 'deep_s4']


@pytest.mark.parametrize(
    ('file', 'old', 'new'),
    [
        ('plan.py', "'model.depth': 2", "'model.depth': 3"),
        ('recipe.py', 'type="Gap"', 'type="Gem"'),
        ('plan.py', 'accuracy/top1', 'accuracy/top5'),
    ],
)
def test_what_changed_after_a_run(
    tmp_path: Path, file: str, old: str, new: str
) -> None:
    path = write_plan(tmp_path)
    plan = read_plan(path)
    run = list(plan.runs())[1]
    record = make_record(plan, run, write_run(tmp_path / 'w', run, SCORED))
    assert len(pending_runs(plan, [record])) == 3
    text = (tmp_path / file).read_text()
    (tmp_path / file).write_text(text.replace(old, new))
    with pytest.raises(UsageError, match='restore it, or give'):
        pending_runs(read_plan(path), [record])


def test_a_config_is_read_once_for_all_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = read_plan(write_plan(tmp_path))
    done = [
        make_record(plan, run, write_run(tmp_path / run.name, run, SCORED))
        for run in plan.runs()
    ]
    assert len(done) == 4
    made = Mock(side_effect=make_config)
    monkeypatch.setattr(records, 'make_config', made)
    assert pending_runs(plan, done) == []
    assert made.call_count == len(plan.arms) == 2


def test_a_torn_line(tmp_path: Path) -> None:
    file = tmp_path / 'plan.jsonl'
    write_record(file, dict(arm='deep'))
    with file.open('a') as stream:
        stream.write('{"arm": "de')
    with pytest.raises(UsageError, match='line 2 of'):
        read_records(file)
