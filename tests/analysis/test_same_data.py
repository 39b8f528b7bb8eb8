from pathlib import Path, PurePath

import pytest
from mmengine.config import Config

from mlfm_mm.analysis.same_data import (
    check_data,
    check_seeds,
    check_test_data,
)
from mlfm_mm.engine import UsageError
from tests.segment_runs import FOLDERS


@pytest.fixture
def configs(runs: Path) -> dict[str, Config]:
    return {
        name: Config.fromfile(runs / name / 'squares.py')
        for name in FOLDERS.values()
    }


def test_other_data_are_refused(runs: Path, configs: dict) -> None:
    dataset = configs['run_mlfm'].test_dataloader.dataset
    dataset.data_root = '/circles'
    with pytest.raises(UsageError, match=r'same data: test.*circles.*--data'):
        check_data(configs)
    check_data(configs, str(runs / 'squares'))
    # A test on pictures of another size is another test.
    dataset.pipeline = []
    with pytest.raises(UsageError, match=r'same data: test_.*\.pipeline is'):
        check_data(configs, str(runs / 'squares'))


def test_recipes_may_differ(configs: dict) -> None:
    configs['run_mlfm'].train_dataloader.dataset.pipeline = []
    check_data(configs)


def test_networks_are_tested_on_the_same_data(configs: dict) -> None:
    dataset = configs['run_mlfm'].test_dataloader.dataset
    dataset.pipeline = []
    configs['run_mlfm'].train_dataloader.dataset.data_root = '/circles'
    check_test_data(configs)
    dataset.data_root = '/circles'
    with pytest.raises(UsageError, match=r'test_.*data_root.*--cfg-options'):
        check_test_data(configs)
    for cfg in configs.values():
        joined = dict(type='ConcatDataset', datasets=[dict(pipeline=[1])])
        cfg.test_dataloader.dataset = joined
    configs['run_mlfm'].test_dataloader.dataset.datasets[0].pipeline = []
    check_test_data(configs)
    configs['run_mlfm'].test_dataloader.dataset.datasets[0].split = 'x'
    with pytest.raises(UsageError, match=r'datasets\.0\.split is None in'):
        check_test_data(configs)


def test_classes_are_their_names(configs: dict) -> None:
    """Pure Python holds classes; what a run wrote of it, their names."""
    first, other = configs.values()
    for cfg, dataset, load in (
        (first, Path, dict(type=PurePath, scale=(8, 8), map={0: 1})),
        (
            other,
            'pathlib.Path',
            dict(type='PurePath', scale=[8, 8], map={0: 1}),
        ),
    ):
        cfg.test_dataloader.dataset.type = dataset
        cfg.test_dataloader.dataset.pipeline = [load]
        cfg.model = dict(backbone=dict(type=dataset, stem=[load]))
    other.test_dataloader.dataset.pipeline[0]['_scope_'] = 'mmseg'
    check_data(configs)
    check_test_data(configs)
    check_seeds('net', [('a', first), ('b', other)])
    other.test_dataloader.dataset.pipeline[0].type = 'Path'
    with pytest.raises(UsageError, match=r'pipeline is'):
        check_data(configs)
