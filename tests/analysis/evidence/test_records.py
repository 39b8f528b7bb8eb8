from pathlib import Path

import pytest

from mlfm_mm.analysis.evidence import (
    make_record,
    pending_runs,
    read_plan,
    read_records,
    write_record,
)
from mlfm_mm.engine import UsageError
from tests.analysis.evidence.test_plan import write_plan
from tests.analysis.test_runs import write


def test_a_finished_run(tmp_path: Path) -> None:
    plan = read_plan(write_plan(tmp_path))
    run = list(plan.runs())[1]
    scalars = [
        dict(epoch_loss=1.0, epoch_time=4.0, step=1),
        {'accuracy/top1': 60.0, 'step': 1},
        dict(epoch_loss=1.0, epoch_time=3.0, step=2),
        {'accuracy/top1': 50.0, 'step': 2},
    ]
    write(tmp_path / 'work', '20260101_000000', scalars)
    file = tmp_path / 'results' / 'plan.jsonl'
    assert read_records(file) == []
    write_record(file, make_record(plan, run, tmp_path / 'work'))
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
    ],
)
def test_a_recipe_that_changed_after_a_run(
    tmp_path: Path, file: str, old: str, new: str
) -> None:
    path = write_plan(tmp_path)
    plan = read_plan(path)
    run = list(plan.runs())[1]
    write(
        tmp_path / 'w', '20260101_000000', [{'accuracy/top1': 1.0, 'step': 1}]
    )
    record = make_record(plan, run, tmp_path / 'w')
    assert len(pending_runs(plan, [record])) == 3
    text = (tmp_path / file).read_text()
    (tmp_path / file).write_text(text.replace(old, new))
    with pytest.raises(UsageError, match='give what is new a new name'):
        pending_runs(read_plan(path), [record])
