"""Published results, and those read from the logs of runs."""

import json
from pathlib import Path

import pytest

from mlfm_mm.analysis.zoo import Entry, collect_runs
from mlfm_mm.analysis.zoo.results import (
    MEASURED,
    Measured,
    read_measured,
    read_published,
)

REPO = Path(__file__).resolve().parents[3]
ENTRIES = [
    Entry(arm, stem)
    for stem in ('resnet18_in100', 'fcn_r18_d8_camvid')
    for arm in ('baseline', 'mlfm')
]
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
        rows: list[dict] = [dict(loss=1.0, epoch=1, iter=1, step=1)]
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


def test_the_published_table() -> None:
    published = read_published(REPO)
    assert len(published) == 68

    def row(stem: str) -> tuple[float, float]:
        plain, mlfm = (
            published[Entry(arm, f'{stem}_in100').path]
            for arm in ('baseline', 'mlfm')
        )
        return plain, mlfm

    assert row('resnet18') == (77.86, 81.22)
    assert row('mobilenetv2_0.1') == (58.38, 62.86)
    assert row('regnety_800m') == (82.70, 82.98)
    # The one network that MLFM made worse.
    assert row('efficientnet_b0') == (83.84, 83.44)
    assert row('convnext_k3_par1_8') == (88.03, 88.30)
    assert row('inceptionnext') == (87.58, 88.06)


def test_best_and_last_epoch_of_each_seed(tmp_path: Path) -> None:
    # The first run was stopped and resumed, the second repeats an epoch.
    runs = [
        classifier(tmp_path / 'a', {1: 50.0, 2: 71.234}, {3: 70.0}),
        classifier(tmp_path / 'b', {1: 1.0}, {1: 60.0, 3: 72.0}, seed=1),
        classifier(tmp_path / 'c', {3: 65.5}, neck='GlobalAveragePooling'),
    ]
    found = collect_runs(tmp_path, runs, ENTRIES)
    assert list(found) == [
        'configs/baseline/resnet18_in100.py',
        'configs/mlfm/resnet18_in100.py',
    ]
    assert found['configs/mlfm/resnet18_in100.py'] == [
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


def test_a_run_replaces_an_older_one_of_its_seed(tmp_path: Path) -> None:
    path = 'configs/mlfm/resnet18_in100.py'
    (tmp_path / MEASURED).parent.mkdir(parents=True)
    older = collect_runs(
        tmp_path,
        [
            classifier(tmp_path / 'a', {3: 60.0}),
            classifier(tmp_path / 'b', {3: 61.0}, seed=None),
        ],
        ENTRIES,
    )
    # Without a seed a run goes by the name of its folder.
    assert [run['seed'] for run in older[path]] == [0, 'b']
    (tmp_path / MEASURED).write_text(json.dumps(older))
    newer = collect_runs(
        tmp_path, [classifier(tmp_path / 'c', {3: 70.0})], ENTRIES
    )
    assert [run['final'] for run in newer[path]] == [70.0, 61.0]
    measured = Measured(tuple(newer[path]))
    assert str(measured) == '65.50 best, 65.50 last of 3 epochs, 2 seeds'
    assert read_measured(tmp_path)[path].final == 60.5


def test_metrics_of_the_test_tool_come_first(tmp_path: Path) -> None:
    run = classifier(tmp_path / 'a', {3: 60.0})
    metrics = {'accuracy/top1': 60.4, 'accuracy/top5': 80.0}
    (run / 'metrics.json').write_text(json.dumps(metrics))
    (found,) = collect_runs(tmp_path, [run], ENTRIES).values()
    assert (found[0]['best'], found[0]['final']) == (60.0, 60.4)


def test_segmentors_count_iterations(tmp_path: Path) -> None:
    run = write_run(
        *(tmp_path / 'seg', 'fcn_r18_d8_camvid', SEGMENTOR, 'mIoU'),
        {200: 50.0, 400: 49.0},
    )
    ((path, (found,)),) = collect_runs(tmp_path, [run], ENTRIES).items()
    assert path == 'configs/mlfm/fcn_r18_d8_camvid.py'
    assert str(Measured((found,))) == (
        '50.00 best (200), 49.00 last of 400 iterations, 1 seed'
    )


def test_runs_that_cannot_be_read(tmp_path: Path) -> None:
    stopped = classifier(tmp_path / 'stopped', {1: 1.0, 2: 2.0})
    with pytest.raises(ValueError, match=r'up to 2 of 3 epochs; resume'):
        collect_runs(tmp_path, [stopped], ENTRIES)
    empty = tmp_path / 'empty'
    empty.mkdir()
    with pytest.raises(ValueError, match='holds 0 configs'):
        collect_runs(tmp_path, [empty], ENTRIES)
    silent = classifier(tmp_path / 'silent', {})
    with pytest.raises(ValueError, match=r'no validation results.*top1'):
        collect_runs(tmp_path, [silent], ENTRIES)
    unknown = classifier(tmp_path / 'unknown', {3: 1.0})
    with pytest.raises(ValueError, match=r'resnet18_in100.py, which does not'):
        collect_runs(tmp_path, [unknown], ENTRIES[2:])
