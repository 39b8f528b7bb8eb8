from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope
from mmengine.runner import Runner
from torch import nn

pytest.importorskip('mmpretrain')

from mlfm_mm.analysis.corruptions import Corruption
from mlfm_mm.analysis.robustness import (
    areas,
    curve_of,
    measure_robustness,
    tabulate,
)
from mlfm_mm.engine import UsageError, prepare_testing
from mlfm_mm.engine.models import build_model
from tests.tools.helpers import write_digits_config


def test_network_against_its_predictions(tmp_path: Path) -> None:
    """The Runner's accuracy is that of predictions made by hand."""
    pytest.importorskip('sklearn')
    path = write_digits_config(tmp_path, 'mlfm')
    cfg = Config.fromfile(path)
    torch.manual_seed(3)
    model = build_model(cfg).eval()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'x.pth')
    corruption = Corruption('noise', 40)
    scores = measure_robustness(
        str(path), str(tmp_path / 'x.pth'), (corruption,)
    )
    assert list(scores) == ['clean', 'noise 40']
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
    for name in scores:
        if name != 'clean':
            dataset.pipeline.transforms.insert(-1, corruption)
        right = [predict(model, cfg, sample) for sample in dataset]
        assert scores[name] == pytest.approx(100 * np.mean(right), abs=1e-3)


def test_the_next_runner_of_the_process(tmp_path: Path) -> None:
    path, weights = write_digits_config(tmp_path), str(tmp_path / 'x.pth')
    cfg = Config.fromfile(path)
    cfg.visualizer = dict(
        type='Visualizer',
        name='of_the_config',
        vis_backends=[dict(type='LocalVisBackend')],
    )
    cfg.dump(path)
    torch.save(build_model(cfg).state_dict(), weights)
    measure_robustness(str(path), weights, ())
    cfg = prepare_testing(str(path), weights, work_dir=str(tmp_path / 'own'))
    Runner.from_cfg(cfg).test()
    assert [*tmp_path.glob('own/*/vis_data/config.py')]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A config that normalizes, beside weights that any test refuses."""
    path = write_digits_config(tmp_path)
    cfg = Config.fromfile(path)
    torch.save(dict(state_dict={}), tmp_path / 'x.pth')
    scaling = dict(type='Normalize', mean=[78.0] * 3, std=[96.0] * 3)
    cfg.test_dataloader.dataset.pipeline.insert(1, scaling)
    cfg.dump(path)
    return path


def test_mistakes_are_met_before_the_clean_test(broken: Path) -> None:
    weights = str(broken.parent / 'x.pth')
    with pytest.raises(UsageError, match='leave normalizing to data_prep'):
        measure_robustness(str(broken), weights)
    cfg = Config.fromfile(broken)
    dataset = cfg.test_dataloader.dataset
    cfg.test_dataloader.dataset = dict(type='RepeatDataset', times=1)
    cfg.test_dataloader.dataset.dataset = dataset
    cfg.dump(broken)
    with pytest.raises(UsageError, match='RepeatDataset has no pipeline'):
        measure_robustness(str(broken), weights)


def test_one_checkpoint_tells_no_difference_from_chance() -> None:
    one, two = [{'clean': 60.0}], [{'clean': 61.0}]
    table = tabulate(dict(plain=one, memory=two))
    assert table.rows[0]['memory gain'] == '+1.0'
    assert 'cannot tell' in table.caption
    table = tabulate(dict(plain=one * 2, memory=two * 2))
    assert '95 %' in table.caption
    table = tabulate(dict(plain=one, memory=two * 2))
    assert table.cells()[0][2] == '61.0 ± 0.0' and '95 %' in table.caption


def test_checkpoints_are_paired_by_seed() -> None:
    plain = [{'clean': score} for score in (50.0, 60.0, 70.0)]
    memory = [{'clean': 62.0}, {'clean': 72.0}]
    scores = dict(plain=plain, memory=memory)
    table = tabulate(scores, dict(plain=[0, 1, 2], memory=[1, 2]))
    assert table.rows[0]['memory gain'] == '+2.0 [+2.0, +2.0]'
    assert 'over the seeds in common' in table.caption
    table = tabulate(scores, dict(plain=[0, 1, 2], memory=[None, 2]))
    assert table.rows[0]['memory gain'] == '-'
    assert 'none where their numbers differ' in table.caption
    table = tabulate(dict(plain=memory, memory=memory))
    assert table.rows[0]['memory gain'] == '+0.0 [+0.0, +0.0]'
    assert 'over pairs of them in order' in table.caption


def test_areas_under_the_curves() -> None:
    run = {'clean': 60.0, 'blur 1': 50.0, 'blur 2': 20.0, 'noise 9': 0.0}
    assert curve_of(run, 'blur') == (['clean', '1', '2'], [60, 50, 20])
    assert areas(dict(a=[run])) == dict(a=[dict(noise=30.0, blur=45.0)])


def predict(model: nn.Module, cfg: Config, sample: dict) -> bool:
    mean, std = (cfg.data_preprocessor[k][0] for k in ('mean', 'std'))
    image = (sample['inputs'][None].float() - mean) / std
    with torch.no_grad():
        features = model.extract_feat(image)
        label = model.head(features).argmax().item()
    return label == sample['data_samples'].gt_label.item()
