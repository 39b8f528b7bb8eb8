import json
from pathlib import Path

import pytest

from mlfm_mm.analysis.runs import (
    find_checkpoint,
    read_config,
    read_curve,
    score_in,
)
from mlfm_mm.engine import UsageError


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
    curve = read_curve(tmp_path, 'accuracy/top1')
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


def test_a_run_trained_anew_replaces_the_longer_one_before(
    tmp_path: Path,
) -> None:
    for stamp, epochs, value in ('20260101_0', 5, 9.0), ('20260102_0', 2, 1.0):
        records: list[dict] = []
        for epoch in range(1, epochs + 1):
            for step in (10 * epoch - 5, 10 * epoch):
                records.append(dict(loss=value, epoch=epoch, step=step))
            records.append({'accuracy/top1': value, 'step': epoch})
            records.append(dict(epoch_loss=7, epoch_time=value, step=epoch))
        # What a user adds without a step gets 0: it is no start.
        write(tmp_path, stamp, [*records, dict(mine=1.0, step=0)])
    curve = read_curve(tmp_path, 'accuracy/top1')
    assert curve.score == curve.seconds == {1: 1.0, 2: 1.0}
    assert list(curve.loss) == [1, 2]
    # The third start is in its first epoch: nothing of the others counts.
    write(tmp_path, '20260103_0', [dict(loss=1.0, epoch=1, step=5)])
    with pytest.raises(UsageError, match='holds no validation results'):
        read_curve(tmp_path, 'accuracy/top1')


def test_a_run_trained_anew_that_logs_later(tmp_path: Path) -> None:
    # Of more steps an epoch, and validated less often.
    for stamp, length, epochs in (
        ('20260101_0', 2, (1, 2)),
        ('20260102_0', 5, [2]),
    ):
        losses = [dict(loss=1.0, epoch=e, step=e * length) for e in (1, 2)]
        scores = [dict(mIoU=float(length), step=e) for e in epochs]
        write(tmp_path, stamp, [*losses, *scores])
        (tmp_path / stamp / 'run.log').write_text('Epoch(train) [1]')
    curve = read_curve(tmp_path, 'mIoU')
    assert curve.score == {2: 5.0}
    # One that goes on tells so.
    write(
        tmp_path, '20260103_0', [dict(loss=1.0, step=15), dict(mIoU=6, step=3)]
    )
    (tmp_path / '20260103_0' / 'run.log').write_text(
        'resumed epoch: 2, iter: 10\nEpoch(train) [3]'
    )
    assert read_curve(tmp_path, 'mIoU').score == {2: 5.0, 3: 6.0}
    # Its line may be lost to a full disk.
    (tmp_path / '20260103_0' / 'run.log').write_text('Epoch(train)  [3]')
    assert read_curve(tmp_path, 'mIoU').score == {2: 5.0, 3: 6.0}
    # One that draws its curves elsewhere.
    (tmp_path / '20260104_0' / 'vis_data').mkdir(parents=True)
    (tmp_path / '20260104_0' / 'run.log').write_text('Epoch(train) [1]')
    with pytest.raises(UsageError, match='holds no validation results'):
        read_curve(tmp_path, 'mIoU')


def test_losses_of_repeated_steps_are_replaced(tmp_path: Path) -> None:
    for stamp, first, loss in ('20260101_0', 50, 9.0), ('20260102_0', 100, 1):
        logged = [dict(loss=loss, step=s) for s in range(first, 200, 50)]
        write(tmp_path, stamp, [*logged, dict(mIoU=loss, step=100)])
    curve = read_curve(tmp_path, 'mIoU')
    assert curve.loss == {50: 9.0, 100: 1.0, 150: 1.0}
    assert curve.score == {100: 1.0}


def test_a_line_that_was_cut_off(tmp_path: Path) -> None:
    write(tmp_path, '20260101_000000', [dict(mIoU=1.0, step=1)])
    write(tmp_path, '20260102_000000', [dict(mIoU=2.0, step=2)])
    (file,) = tmp_path.glob('20260101_000000/vis_data/*')
    file.write_text(file.read_text() + '{"mIoU": 1.5, "st')
    assert read_curve(tmp_path, 'mIoU').score == {1: 1.0, 2: 2.0}


def test_runs_by_iterations(tmp_path: Path) -> None:
    records = [dict(loss=9.0 - s, step=s) for s in (10, 20)]
    write(tmp_path, '20260101_000000', [*records, dict(mIoU=1.0, step=20)])
    curve = read_curve(tmp_path, 'mIoU')
    assert curve.loss == {10: -1.0, 20: -11.0} and curve.last == 20


def test_scores_without_a_step(tmp_path: Path) -> None:
    # By mmpretrain's defaults, all of a run by iterations are at step 0.
    records = [dict(loss=9.0, step=10), dict(mIoU=2.0, step=0)]
    write(tmp_path, '20260101_000000', records)
    with pytest.raises(UsageError, match='log_metric_by_epoch=False'):
        read_curve(tmp_path, 'mIoU')
    # A validation of its own is none of the run's.
    write(tmp_path, '20260102_000000', [dict(mIoU=1.0, step=20)])
    assert read_curve(tmp_path, 'mIoU').score == {20: 1.0}


def test_first_of_equal_scores(tmp_path: Path) -> None:
    records = [dict(mIoU=5.0, step=s) for s in (1, 2)]
    write(tmp_path, '20260101_000000', records)
    curve = read_curve(tmp_path, 'mIoU')
    assert (curve.best_at, curve.best, curve.last) == (1, 5.0, 2)


def test_nothing_recorded(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"results 'mIoU'.*give the work"):
        read_curve(tmp_path, 'mIoU')
    write(tmp_path, '20260101_000000', [dict(loss=1.0, epoch=1, step=1)])
    with pytest.raises(UsageError, match=r"results 'mIoU'.*give the work"):
        read_curve(tmp_path, 'mIoU')


def test_the_metric_that_counts() -> None:
    assert score_in({'mIoU': 3.0, 'mAcc': 4.0}, 'mmseg') == 3.0
    found = {'multi-label/f1-score': 1.0, 'multi-label/recall': 2.0}
    with pytest.raises(
        UsageError, match=r'accuracy/top1.*f1-score, multi-label/recall'
    ):
        score_in(found, 'mmpretrain')


def test_networks_with_several_labels(tmp_path: Path) -> None:
    """No metric that could be added would make them comparable."""
    found = {'multi-label/f1-score': 1.0, 'step': 1}
    with pytest.raises(UsageError, match=r'several labels are not compared'):
        score_in(found, 'mmpretrain')
    write(tmp_path, '20260101_000000', [found])
    with pytest.raises(UsageError, match=r'several labels are not compared'):
        read_curve(tmp_path, 'accuracy/top1')
    with pytest.raises(UsageError, match=r'recall: add the metric to it'):
        score_in({'single-label/recall': 2.0}, 'mmpretrain')


def test_config_and_weights_of_a_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'holds 0 configs \(\*.py\)'):
        read_config(tmp_path)
    (tmp_path / 'a.py').write_text('x = 1')
    assert read_config(tmp_path).x == 1
    (tmp_path / 'b.py').write_text('x = 2')
    with pytest.raises(UsageError, match=r'holds 2 configs \(\*.py\)'):
        read_config(tmp_path)

    with pytest.raises(UsageError, match=r'no weights \(last_checkpoint\)'):
        find_checkpoint(tmp_path)
    # Written elsewhere, before the folder was moved.
    (tmp_path / 'last_checkpoint').write_text('/gone/epoch_2.pth\n')
    with pytest.raises(UsageError, match=r'no weights \(epoch_2.pth\)'):
        find_checkpoint(tmp_path)
    (tmp_path / 'epoch_2.pth').touch()
    assert find_checkpoint(tmp_path) == tmp_path / 'epoch_2.pth'
