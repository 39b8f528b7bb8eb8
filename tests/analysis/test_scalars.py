"""What a later start of a run replaces."""

from pathlib import Path

from mlfm_mm.analysis.runs import read_curve
from tests.analysis.test_runs import write


def test_a_later_start_replaces_each_kind_of_records(tmp_path: Path) -> None:
    def loss(epoch: int, step: int, value: float) -> dict:
        return {'loss': value, 'epoch': epoch, 'step': step}

    def score(epoch: int, value: float) -> dict:
        return {'accuracy/top1': value, 'step': epoch}

    before = [loss(1, 50, 4.0), loss(1, 100, 2.0), score(1, 10.0)]
    write(tmp_path, '20260101_000000', [*before, loss(2, 150, 2.0)])
    # Resumed within the second epoch.
    write(tmp_path, '20260102_000000', [loss(2, 200, 1.0), score(2, 20.0)])
    curve = read_curve(tmp_path, 'accuracy/top1')
    assert curve.loss == {1: 3.0, 2: 1.5}
    assert curve.score == {1: 10.0, 2: 20.0}
