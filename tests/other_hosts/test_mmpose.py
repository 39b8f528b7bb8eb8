"""Pose estimators through mmpose's own Runner and inferencer."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from mlfm_mm import add_memory
from mlfm_mm.engine import UsageError, find_host
from mlfm_mm.engine.demo import prepare
from mlfm_mm.engine.models import build_model
from mlfm_mm.models import find_taps
from tests.other_hosts.trial import (
    KEYPOINTS,
    SIDE,
    check_our_config,
    neck_of,
    our_config,
    read,
    train_twice,
    with_old_weights,
)

TEXT = """
size = ({side}, {side})
codec = dict(type='MSRAHeatmap', input_size=size,
    heatmap_size=({side} // 4, {side} // 4), sigma=2)
load = [dict(type='LoadImage'), dict(type='GetBBoxCenterScale'),
        dict(type='TopdownAffine', input_size=size)]
pack = dict(type='PackPoseInputs')
data = dict(
    data_root={root!r},
    ann_file='marks.json',
    data_prefix=dict(img=''),
)
loader = dict(batch_size=2, num_workers=0, persistent_workers=False)
train_dataloader = dict(**loader, dataset=dict(**data, pipeline=[
    *load, dict(type='GenerateTarget', encoder=codec), pack]))
test_dataloader = dict(**loader, dataset=dict(
    **data, bbox_file=None, pipeline=[*load, pack]))
model = dict(
    backbone=dict(init_cfg=None),
    head=dict(deconv_out_channels=(16, 16, 16),
        decoder=codec),
)
optim_wrapper = dict(optimizer=dict(lr=0.001))
"""


def config(folder: Path, pictures: Path) -> Config:
    text = TEXT.format(root=str(pictures), side=SIDE)
    cfg = read(our_config('td-hm_resnet18_coco.py'), text, folder)
    cfg.test_dataloader.pop('drop_last', None)
    return cfg


def test_trains_and_infers(pictures: Path, tmp_path: Path) -> None:
    from mmpose.apis import MMPoseInferencer

    weights = train_twice(config(tmp_path, pictures), 'pose')
    dumped = str(tmp_path / 'work' / 'config.py')
    inferencer = MMPoseInferencer(
        pose2d=dumped,
        pose2d_weights=weights,
        det_model='whole_image',
        device='cpu',
    )
    assert neck_of(inferencer.inferencer.model).taps
    (out,) = inferencer(str(pictures / '0.png'))
    assert len(out['predictions'][0][0]['keypoints']) == 17


def test_a_picture_of_ones_own(pictures: Path, tmp_path: Path) -> None:
    """For the spectra and the memory of its network, without boxes."""
    cfg = config(tmp_path, pictures)
    with DefaultScope.overwrite_default_scope('mmpose'):
        batch = prepare(cfg, find_host(cfg), str(pictures / '0.png'))
    (sample,) = batch['data_samples']
    assert batch['inputs'][0].shape == (3, SIDE, SIDE)
    height, width = sample.ori_shape
    assert sample.gt_instances.bboxes.tolist() == [[0, 0, width, height]]


def test_old_weights_give_the_same_maps(
    pictures: Path, tmp_path: Path
) -> None:
    plain, ours = with_old_weights(config(tmp_path, pictures), tmp_path)
    image = torch.rand(2, 3, SIDE, SIDE)
    with torch.no_grad():
        maps = [model(image, None, mode='tensor') for model in (plain, ours)]
    assert maps[0].shape == (2, 17, SIDE // 4, SIDE // 4)
    assert torch.equal(*maps)


def test_a_head_of_the_older_form(pictures: Path, tmp_path: Path) -> None:
    """mmpose replaces any neck by its own then: by none with memory."""
    cfg = add_memory(config(tmp_path, pictures))
    cfg.model.backbone.out_indices = (0, 1, 2, 3)
    cfg.model.head.update(
        in_channels=(64, 128, 256, 512),
        input_transform='resize_concat',
        input_index=(0, 1, 2, 3),
    )
    with pytest.raises(UsageError, match='input_transform, input_index'):
        build_model(cfg)


def test_a_backbone_that_predicts() -> None:
    """The last maps of CPM are the predictions; no unit may change them."""
    cpm = dict(type='CPM', in_channels=3, out_channels=KEYPOINTS, num_stages=3)
    with DefaultScope.overwrite_default_scope('mmpose'):
        backbone = MODELS.build(cpm)
    names = [tap.module for tap in find_taps(backbone)[0]]
    stages = ['cpm_stages.0', 'cpm_stages.1']
    assert names == ['stem.0', 'stem.2', 'stem.4', *stages]


def test_the_config_with_memory() -> None:
    check_our_config('td-hm_resnet18_coco.py')
