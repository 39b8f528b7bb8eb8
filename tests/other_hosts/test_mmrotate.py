"""Rotated boxes through mmrotate's models and mmengine's Runner."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from tests.other_hosts.trial import (
    SIDE,
    read,
    train_twice,
    with_old_weights,
)

TEXT = """
load = [dict(type='mmdet.LoadImageFromFile'),
        dict(type='mmdet.LoadAnnotations', with_bbox=True, with_mask=True,
            poly2mask=False),
        dict(type='ConvertMask2BoxType', box_type='rbox')]
resize = dict(type='mmdet.Resize', scale=({side}, {side}), keep_ratio=True)
pack = dict(type='mmdet.PackDetInputs')
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        _delete_=True,
        type='mmdet.CocoDataset',
        data_root={root!r},
        ann_file='marks.json',
        data_prefix=dict(img=''),
        metainfo=dict(classes=('person',)),
        pipeline=[*load, resize, pack],
    ),
)
model = dict(
    backbone=dict(depth=18, init_cfg=None, frozen_stages=-1,
        norm_eval=False),
    neck=dict(in_channels=[64, 128, 256, 512], out_channels=32),
    bbox_head=dict(num_classes=1, in_channels=32, feat_channels=64))
optim_wrapper = dict(
    _delete_=True, type='OptimWrapper',
    optimizer=dict(type='Adam', lr=0.001))
"""


def config(folder: Path, pictures: Path) -> Config:
    base = 'mmrotate::rotated_fcos/rotated-fcos-le90_r50_fpn_kld_1x_dota.py'
    text = TEXT.format(root=str(pictures), side=SIDE)
    return read(base, text, folder)


def test_trains(pictures: Path, tmp_path: Path) -> None:
    train_twice(config(tmp_path, pictures), 'rotated')


def test_old_weights_give_the_same_maps(
    pictures: Path, tmp_path: Path
) -> None:
    plain, ours = with_old_weights(config(tmp_path, pictures), tmp_path)
    image = torch.rand(1, 3, SIDE, SIDE)
    with torch.no_grad():
        before, after = (m(image, mode='tensor') for m in (plain, ours))
    for old, new in zip(before, after, strict=True):
        assert all(map(torch.equal, old, new))


def test_what_is_compiled_only_is_named(
    pictures: Path, tmp_path: Path
) -> None:
    from mmdet.structures import DetDataSample

    cfg = config(tmp_path, pictures)
    cfg.model.test_cfg.score_thr = 0.0
    _, ours = with_old_weights(cfg, tmp_path)
    meta = dict(
        img_shape=(SIDE, SIDE), ori_shape=(SIDE, SIDE), scale_factor=(1.0, 1.0)
    )
    image = torch.rand(1, 3, SIDE, SIDE)
    with (
        torch.no_grad(),
        pytest.raises(
            NotImplementedError, match='nms_rotated needs the compiled'
        ),
    ):
        ours(image, [DetDataSample(metainfo=meta)], mode='predict')
