from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.fileio import load
from mmengine.registry import MODELS, DefaultScope

from mlfm_mm.engine import UsageError, prepare_testing, prepare_training
from mlfm_mm.engine.kinds import WHOLE_WEIGHTS, find_hooks
from mlfm_mm.engine.testing import DumpPredictions, run_test
from tests.tools.helpers import write_digits_config, write_segments_config


def prepare(config: Path, **changes: Any) -> Config:
    weights = config.parent / 'net.pth'
    torch.save({}, weights)
    changes.setdefault('checkpoint', str(weights))
    return prepare_testing(str(config), **changes)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(checkpoint='no.pth'), "there is no checkpoint 'no.pth'"),
        (dict(out='pred.json'), 'ends in .pkl, .pickle'),
        (dict(out='a.txt', out_item='metrics'), 'ends in .json, .yaml'),
        (dict(out_item='pred'), 'add --out'),
        (
            dict(cfg_options={'test_dataloader': None}),
            'does not say how to test',
        ),
    ],
)
def test_mistakes(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        prepare(write_digits_config(tmp_path), **changes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    'place',
    [
        dict(out='file/m.json', out_item='metrics'),
        dict(out='folder.json', out_item='metrics'),
        dict(out='file/p.pkl'),
        dict(show_dir='file'),
    ],
)
def test_what_is_in_the_way(
    place: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_digits_config(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path('file').write_text('mine')
    Path('folder.json').mkdir()
    with pytest.raises(UsageError, match=r'is a (file|folder): give'):
        prepare(config, **place)


def test_predictions_of_a_segmentor_are_no_file(tmp_path: Path) -> None:
    config = write_segments_config(tmp_path)
    with pytest.raises(UsageError, match='add --out-item metrics'):
        prepare(config, out='predictions.pkl')
    with pytest.raises(UsageError, match='is a file: give a folder'):
        prepare(config, out=__file__)


def test_flipping_is_the_default_augmentation(tmp_path: Path) -> None:
    cfg = prepare(write_digits_config(tmp_path), tta=True)
    assert cfg.model.type == 'AverageClsScoreTTA'
    assert cfg.model.module.type == 'ImageClassifier'
    *_, last = cfg.test_dataloader.dataset.pipeline
    flips, packs = last.transforms
    assert [flip.prob for flip in flips] == [1.0, 0.0]
    assert packs[0].type == 'PackInputs'


def test_augmentation_keeps_the_preprocessor_of_the_model(
    tmp_path: Path,
) -> None:
    """A Runner gives the wrapper the config's, which goes first there."""
    config = write_digits_config(tmp_path)
    own = dict(type='ClsDataPreprocessor', mean=[7.0] * 3, std=[9.0] * 3)
    with open(config, 'a') as file:
        file.write(f'model = dict(data_preprocessor={own})\n')
    cfg = prepare(config, tta=True)
    assert cfg.data_preprocessor.mean != own['mean']
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        # As a Runner builds it.
        cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)
        network = MODELS.build(cfg.model).module
    assert network.data_preprocessor.mean.flatten().tolist() == own['mean']


def test_augmentation_of_several_data_sets(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path)
    dataset = Config.fromfile(config).test_dataloader.dataset.to_dict()
    both = dict(_delete_=True, type='ConcatDataset', datasets=[dataset] * 2)
    with open(config, 'a') as file:
        file.write(f'test_dataloader = dict(dataset={both})\n')
    cfg = prepare(config, tta=True)
    for each in cfg.test_dataloader.dataset.datasets:
        assert each.pipeline[-1].type == 'TestTimeAug'


def test_segmentor_needs_a_recipe(tmp_path: Path) -> None:
    config = write_segments_config(tmp_path)
    config.write_text(config.read_text().replace('tta_pipeline', 'unused'))
    with pytest.raises(UsageError, match='the config has no tta_pipeline'):
        prepare(config, tta=True)


def test_what_mmpretrain_cannot_draw(tmp_path: Path) -> None:
    """Its hook looks for one picture where there are several."""
    config = write_digits_config(tmp_path)
    with pytest.raises(UsageError, match='--tta cannot be had with --show'):
        prepare(config, tta=True, show_dir=str(tmp_path / 'drawn'))


def test_segmentor_writes_through_its_metric(tmp_path: Path) -> None:
    config = write_segments_config(tmp_path)
    cfg = prepare(config, out='pred')
    assert cfg.test_evaluator.output_dir == 'pred'
    many = {'test_evaluator': [dict(type='IoUMetric')]}
    cfg = prepare(config, out='pred', cfg_options=many)
    assert cfg.test_evaluator[0].output_dir == 'pred'
    other = {'test_evaluator.type': 'CityscapesMetric'}
    with pytest.raises(UsageError, match='only IoUMetric writes'):
        prepare(config, out='pred', cfg_options=other)


def test_metrics_that_a_file_can_hold(tmp_path: Path) -> None:
    metrics = dict(mIoU=np.float32(12.5), classes=[1, 2])
    runner = SimpleNamespace(
        cfg=Config(dict(default_scope='mmseg')), test=lambda: metrics
    )
    for name in ('m.yaml', 'm.json'):
        run_test(runner, str(tmp_path / name), 'metrics')
        assert load(tmp_path / name) == dict(mIoU=12.5, classes=[1, 2])
    text = (tmp_path / 'm.yaml').read_text()
    assert yaml.safe_load(text)['mIoU'] == 12.5


@pytest.mark.parametrize('scope', ['mmpretrain', 'mmpose'])
def test_predictions_of_any_host_are_saved(scope: str) -> None:
    evaluator = SimpleNamespace(metrics=[])
    runner = SimpleNamespace(
        cfg=Config(dict(default_scope=scope)),
        test_evaluator=evaluator,
        test=dict,
    )
    run_test(runner, 'found.pkl')
    (metric,) = evaluator.metrics
    assert metric.out_file_path == 'found.pkl'


def test_partial_weights_by_a_written_config(tmp_path: Path) -> None:
    config, written = write_digits_config(tmp_path), tmp_path / 'written.py'
    prepare(config).dump(written)
    cfg = prepare(written, allow_partial=True)
    (hook,) = find_hooks(cfg, WHOLE_WEIGHTS)
    assert hook.allow_partial
    # One that a resumed run has written checks all weights in a test.
    prepare_training(str(config), resume='auto').dump(written)
    (hook,) = find_hooks(prepare(written), WHOLE_WEIGHTS)
    assert not hook.allow_partial and not hook.only_resume


def test_a_saved_label_is_that_of_the_score(tmp_path: Path) -> None:
    """Mmpretrain's mean over augmented views keeps the first one's label."""
    dump = DumpPredictions(str(tmp_path / 'saved.pkl'))
    score = torch.tensor([0.2, 0.8])
    several = torch.tensor([0, 1])
    for label in (torch.tensor([0]), several, several[:0], several[0]):
        dump.process({}, [dict(pred_label=label, pred_score=score)])
    saved = [found['pred_label'].tolist() for found in dump.results]
    assert saved == [[1], [0, 1], [], 0]


def test_saved_scores_are_without_those_of_their_batch(tmp_path: Path) -> None:
    """Pickle writes all of the memory that a view looks into."""
    dump = DumpPredictions(str(tmp_path / 'saved.pkl'))
    batch = [dict(pred_score=scores) for scores in torch.rand(64, 10)]
    dump.process({}, batch)
    sizes = {
        found['pred_score'].untyped_storage().size() for found in dump.results
    }
    assert sizes == {10 * 4}
