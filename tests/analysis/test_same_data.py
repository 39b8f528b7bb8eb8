from pathlib import Path

import pytest
from mmengine.config import Config

from mlfm_mm.analysis.same_data import check_data
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
