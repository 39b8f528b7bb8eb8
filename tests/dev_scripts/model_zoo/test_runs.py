"""Results read from the logs of runs."""

import json
from pathlib import Path

import pytest

from model_zoo import Record
from model_zoo.records import MEASURED
from model_zoo.runs import collect
from model_zoo.tables import measured

MLFM = 'configs/mlfm/resnet18_in100.py'
CLASSIFIER = """
default_scope = 'mmpretrain'
model = dict(neck=dict(type={neck!r}))
train_cfg = dict(by_epoch=True, max_epochs=3)
randomness = dict(seed={seed})
"""
SEGMENTOR = """
default_scope = 'mmseg'
model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=400)
"""


def write_run(
    folder: Path, name: str, cfg: str, metric: str, *logs: dict[int, float]
) -> Path:
    """Write what a run leaves: its config, and a log for each start."""
    folder.mkdir()
    (folder / f'{name}.py').write_text(cfg)
    for i, log in enumerate(logs):
        data = folder / f'2026010{i}_000000' / 'vis_data'
        data.mkdir(parents=True)
        first = min(log, default=1)
        rows: list[dict] = [dict(loss=1.0, epoch=first, step=first)]
        rows += [{metric: value, 'step': step} for step, value in log.items()]
        text = ''.join(json.dumps(row) + '\n' for row in rows)
        (data / 'scalars.json').write_text(text)
    return folder


def classifier(
    folder: Path,
    *logs: dict[int, float],
    seed: int | None = 0,
    neck: str = 'mlfm_mm.MLFMNeck',
) -> Path:
    cfg = CLASSIFIER.format(neck=neck, seed=seed)
    return write_run(folder, 'resnet18_in100', cfg, 'accuracy/top1', *logs)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with two networks in both arms."""
    for arm in ('baseline', 'mlfm'):
        folder = tmp_path / 'repository' / 'configs' / arm
        folder.mkdir(parents=True)
        for stem in ('resnet18_in100', 'fcn_r18_d8_camvid'):
            (folder / f'{stem}.py').touch()
    (tmp_path / 'repository' / 'configs' / 'zoo').mkdir()
    return tmp_path / 'repository'


def shown(runs: list[dict]) -> str:
    size = (256, 256)
    return measured(Record(MLFM, 1, 1, size, 'mmpretrain', runs=tuple(runs)))


def test_best_and_last_epoch_of_each_seed(root: Path, tmp_path: Path) -> None:
    # The first run was stopped and resumed, the second repeats an epoch.
    runs = [
        classifier(tmp_path / 'a', {1: 50.0, 2: 71.234}, {3: 70.0}),
        classifier(tmp_path / 'b', {1: 1.0}, {1: 60.0, 3: 72.0}, seed=1),
        classifier(tmp_path / 'c', {3: 65.5}, neck='GlobalAveragePooling'),
    ]
    found = collect(root, runs)
    assert list(found) == [
        'configs/baseline/resnet18_in100.py',
        MLFM,
    ]
    assert found[MLFM] == [
        dict(
            seed=0,
            length=3,
            unit='epochs',
            best=71.23,
            best_at=2,
            final=70.0,
        ),
        dict(
            seed=1,
            length=3,
            unit='epochs',
            best=72.0,
            best_at=3,
            final=72.0,
        ),
    ]


def test_a_run_replaces_one_of_its_seed(root: Path, tmp_path: Path) -> None:
    older = collect(
        root,
        [
            classifier(tmp_path / 'a', {3: 60.0}),
            classifier(tmp_path / 'b', {3: 61.0}, seed=None),
        ],
    )
    # Without a seed a run goes by the name of its folder.
    assert [run['seed'] for run in older[MLFM]] == [0, 'b']
    (root / MEASURED).write_text(json.dumps(older))
    newer = collect(root, [classifier(tmp_path / 'c', {3: 70.0})])
    assert [run['final'] for run in newer[MLFM]] == [70.0, 61.0]
    assert shown(newer[MLFM]) == (
        '65.50 best, 65.50 last of 3 epochs, 2 seeds'
    )


def test_metrics_of_the_test_come_first(root: Path, tmp_path: Path) -> None:
    run = classifier(tmp_path / 'a', {3: 60.0})
    metrics = {'accuracy/top1': 60.4, 'accuracy/top5': 80.0}
    (run / 'metrics.json').write_text(json.dumps(metrics))
    (found,) = collect(root, [run]).values()
    assert (found[0]['best'], found[0]['final']) == (60.0, 60.4)


def test_segmentors_count_iterations(root: Path, tmp_path: Path) -> None:
    run = write_run(
        *(tmp_path / 'seg', 'fcn_r18_d8_camvid', SEGMENTOR, 'mIoU'),
        {200: 50.0, 400: 49.0},
    )
    ((path, (found,)),) = collect(root, [run]).items()
    assert path == 'configs/mlfm/fcn_r18_d8_camvid.py'
    assert shown([found]) == (
        '50.00 best (200), 49.00 last of 400 iterations, 1 seed'
    )


def test_runs_that_cannot_be_read(root: Path, tmp_path: Path) -> None:
    stopped = classifier(tmp_path / 'stopped', {1: 1.0, 2: 2.0})
    with pytest.raises(ValueError, match=r'up to 2 of 3 epochs; resume'):
        collect(root, [stopped])
    empty = tmp_path / 'empty'
    empty.mkdir()
    with pytest.raises(ValueError, match='holds 0 configs'):
        collect(root, [empty])
    silent = classifier(tmp_path / 'silent', {})
    with pytest.raises(ValueError, match=r'no validation results.*top1'):
        collect(root, [silent])
    unknown = classifier(tmp_path / 'unknown', {3: 1.0})
    (root / MLFM).unlink()
    with pytest.raises(ValueError, match=r'resnet18_in100.py, which does not'):
        collect(root, [unknown])
