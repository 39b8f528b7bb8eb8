import json
from pathlib import Path

import pytest

from mlfm_mm.analysis.curves import read_curve


def write(folder: Path, stamp: str, records: list[dict]) -> None:
    path = folder / stamp / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(''.join(json.dumps(r) + '\n' for r in records))


def test_records_of_a_run(tmp_path: Path) -> None:
    write(
        tmp_path,
        '20260101_000000',
        [
            dict(loss=3.0, epoch=1, step=10),
            dict(loss=1.0, epoch=1, step=20),
            dict(epoch_loss=1.9, epoch_time=4.0, step=1),
            {'accuracy/top1': 60.0, 'step': 1},
            dict(loss=0.5, epoch=2, step=30),
            {'accuracy/top1': 50.0, 'step': 2},
        ],
    )
    curve = read_curve(tmp_path)
    # The exact mean where it was recorded, else that of the log.
    assert curve.loss == {1: 1.9, 2: 0.5}
    assert curve.score == {1: 60.0, 2: 50.0}
    assert (curve.best, curve.final, curve.epoch_seconds) == (60.0, 50.0, 4.0)


def test_resumed_run_replaces_what_it_repeats(tmp_path: Path) -> None:
    write(
        tmp_path, '20260101_000000', [dict(mIoU=1.0, step=s) for s in (1, 2)]
    )
    write(
        tmp_path, '20260102_000000', [dict(mIoU=2.0, step=s) for s in (2, 3)]
    )
    assert read_curve(tmp_path, 'mIoU').score == {1: 1.0, 2: 2.0, 3: 2.0}


def test_nothing_recorded(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='vis_data'):
        read_curve(tmp_path)
    write(tmp_path, '20260101_000000', [dict(loss=1.0, epoch=1, step=1)])
    with pytest.raises(ValueError, match="no 'mIoU' was recorded"):
        read_curve(tmp_path, 'mIoU')
