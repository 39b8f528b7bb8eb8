"""Detectors through mmdet's own Runner and inferencer."""

import runpy
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.fileio import load
from torch.utils.data import ConcatDataset, DataLoader, Dataset

from mlfm_mm import add_memory
from mlfm_mm.analysis.robustness import check_pipelines
from mlfm_mm.engine import UsageError, build_runner
from mlfm_mm.engine.draws import place_draws
from mlfm_mm.engine.testing import prepare_testing, run_test
from tests.engine.hooks.toy import same
from tests.other_hosts.trial import (
    SIDE,
    build,
    check_our_config,
    make_runner,
    neck_of,
    our_config,
    read,
    train_twice,
    with_old_weights,
)

DATA = """
load = [dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', with_bbox=True, with_mask={mask})]
resize = dict(type='Resize', scale=({side}, {side}), keep_ratio=True)
pack = dict(type='PackDetInputs')
seen = dict(type='PackDetInputs', meta_keys=(
    'img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'))
test_pipeline = [load[0], resize, seen]
data = dict(
    _delete_=True,
    type='CocoDataset',
    data_root={root!r},
    ann_file='marks.json',
    data_prefix=dict(img=''),
    metainfo=dict(classes=('person',)),
)
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(**data, pipeline=[*load, resize, pack]),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(**data, pipeline=test_pipeline),
)
optim_wrapper = dict(
    _delete_=True, type='OptimWrapper',
    optimizer=dict(type='Adam', lr=0.001))
"""
SHALLOW = """
model = dict(backbone=dict(depth=18, init_cfg=None, frozen_stages=-1,
        norm_eval=False, norm_cfg=dict(requires_grad=True)),
    neck=dict(in_channels=[64, 128, 256, 512], out_channels=16),
"""
# Each detector: its config, and how it is made small.
DETECTORS = {
    our_config('retinanet_r18_fpn_coco.py'): SHALLOW
    + 'bbox_head=dict(num_classes=1, in_channels=16, feat_channels=16))',
    'mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py': SHALLOW
    + """
    rpn_head=dict(in_channels=16, feat_channels=16),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=16),
        bbox_head=dict(in_channels=16, fc_out_channels=16, num_classes=1),
        mask_roi_extractor=dict(out_channels=16),
        mask_head=dict(in_channels=16, conv_out_channels=16, num_classes=1),
    ))""",
}


def config(name: str, folder: Path, pictures: Path) -> Config:
    data = DATA.format(root=str(pictures), side=SIDE, mask='mask' in name)
    cfg = read(name, data + DETECTORS[name], folder)
    cfg.load_from = None
    return cfg


by_name = pytest.mark.parametrize(
    'name', DETECTORS, ids=['retinanet', 'mask_rcnn']
)


@by_name
def test_trains_and_infers(name: str, pictures: Path, tmp_path: Path) -> None:
    from mmdet.apis import DetInferencer

    cfg = config(name, tmp_path, pictures)
    weights = train_twice(cfg, name)
    # The config in the work folder is all that is needed.
    dumped = str(tmp_path / 'work' / 'config.py')
    inferencer = DetInferencer(dumped, weights, device='cpu')
    assert neck_of(inferencer.model).taps
    out = inferencer(str(pictures / '0.png'), no_save_vis=True)
    assert set(out['predictions'][0]) >= {'bboxes', 'scores', 'labels'}


@by_name
def test_old_weights_give_the_same_boxes(
    name: str, pictures: Path, tmp_path: Path
) -> None:
    cfg = config(name, tmp_path, pictures)
    if 'mask' in name:
        cfg.model.test_cfg.rcnn.score_thr = 0.0
    else:
        cfg.model.test_cfg.score_thr = 0.0
    plain, ours = with_old_weights(cfg, tmp_path)
    from mmdet.structures import DetDataSample

    meta = dict(
        img_shape=(SIDE, SIDE),
        ori_shape=(SIDE, SIDE),
        scale_factor=(1.0, 1.0),
        batch_input_shape=(SIDE, SIDE),
    )
    image = torch.rand(1, 3, SIDE, SIDE)
    found = []
    for model in (plain, ours):
        sample = DetDataSample(metainfo=meta)
        with torch.no_grad():
            (sample,) = model(image, [sample], mode='predict')
        found.append(sample.pred_instances)
    assert len(found[0]) > 0
    for key, value in found[0].items():
        assert torch.equal(value, found[1][key]), key


RESIZE = dict(
    type='BatchSyncRandomResize',
    random_size_range=(64, 160),
    size_divisor=32,
    interval=2,
)


def test_a_size_that_holds_outlives_a_resume(
    pictures: Path, tmp_path: Path
) -> None:
    name = next(iter(DETECTORS))
    cfg = add_memory(config(name, tmp_path, pictures))
    cfg.model.data_preprocessor.batch_augments = [RESIZE]
    cfg.custom_hooks = [dict(type='mlfm_mm.ExactResumeHook')]
    cfg.randomness = dict(seed=0)
    whole = make_runner(cfg, 'whole', 6, every=3)
    whole.train()
    cfg.load_from, cfg.resume = f'{cfg.work_dir}/iter_3.pth', True
    resumed = make_runner(cfg, 'resumed', 6, every=3)
    resumed.train()
    assert same(whole.model.state_dict(), resumed.model.state_dict())


class ShapedImages(Dataset):
    """Images that are wide and high in turns, as mmdet describes them."""

    def __len__(self) -> int:
        return 8

    def get_data_info(self, index: int) -> dict:
        return dict(width=4 + index % 2, height=5 - index % 2)


def test_samplers_of_several_sources() -> None:
    from mmdet.datasets.samplers import GroupMultiSourceSampler

    dataset, orders = ConcatDataset([ShapedImages(), ShapedImages()]), []
    for skip in (0, 3):
        sampler = GroupMultiSourceSampler(dataset, 2, [1, 1], seed=0)
        loader = DataLoader(dataset, batch_size=2, sampler=sampler)
        placed = place_draws(loader, 0, rank=0, processes=1)
        placed.skip = skip
        orders.append([*islice(placed, 8 - skip)])
        np.random.seed(1)  # as the network may do in between
    assert orders[0][3:] == orders[1]


def test_the_config_with_memory() -> None:
    check_our_config('retinanet_r18_fpn_coco.py')


def test_scores_on_degraded_pictures(pictures: Path, tmp_path: Path) -> None:
    """There are none: said before the test set is run."""
    name = next(iter(DETECTORS))
    cfg, weights = config(name, tmp_path, pictures), tmp_path / 'w.pth'
    cfg.dump(tmp_path / 'dumped.py')
    torch.save(dict(state_dict={}), weights)
    with pytest.raises(UsageError, match='compared here, not of mmdet'):
        check_pipelines([(str(tmp_path / 'dumped.py'), str(weights))])


@pytest.mark.parametrize('options', [['--tta'], []], ids=['tta', 'masks'])
def test_predictions_as_by_the_hosts_script(
    options: list[str],
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its masks are run lengths: plain ones would fill the memory."""
    import mmdet

    boxes, masks = DETECTORS
    cfg = add_memory(config(boxes if options else masks, tmp_path, pictures))
    cfg.test_evaluator.ann_file = str(pictures / 'marks.json')
    tested = cfg.model.test_cfg
    (tested if options else tested.rcnn).score_thr = 0.01
    file, weights = str(tmp_path / 'dumped.py'), str(tmp_path / 'w.pth')
    cfg.dump(file)
    torch.save(dict(state_dict=build(cfg, 0).state_dict(), meta={}), weights)
    own, out = str(tmp_path / 'own.pkl'), str(tmp_path / 'out.pkl')
    cfg = prepare_testing(file, weights, out=own, tta=bool(options))
    run_test(build_runner(cfg, 'own'), own)
    script = Path(mmdet.__file__).parent / '.mim' / 'tools' / 'test.py'
    command = [str(script), file, weights, '--out', out, *options]
    # Or it would find the visualizer of the first Runner.
    command += ['--cfg-options', f'visualizer.name={tmp_path.name}']
    monkeypatch.setattr('sys.argv', command)
    runpy.run_path(str(script), run_name='__main__')
    for ours, theirs in zip(load(own), load(out), strict=True):
        one, other = (p.pop('pred_instances') for p in (ours, theirs))
        assert len(one['scores']) > 0
        assert one.pop('masks', None) == other.pop('masks', None)
        assert same(one, other)
        assert ours.keys() == theirs.keys()
