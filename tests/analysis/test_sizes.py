"""The sizes of images are read from pipelines of all shapes."""

import pytest
from mmengine.config import Config

from mlfm_mm.analysis.sizes import image_size, input_size
from mlfm_mm.engine import UsageError


def seg(**pipelines: list[dict]) -> Config:
    loaders = {
        f'{split}_dataloader': dict(dataset=dict(pipeline=pipeline))
        for split, pipeline in pipelines.items()
    }
    return Config(dict(default_scope='mmseg', **loaders))


def test_sizes_of_segmentors() -> None:
    resize = dict(type='Resize', scale=(2048, 1024), keep_ratio=True)
    crop = dict(type='RandomCrop', crop_size=(512, 768), cat_max_ratio=0.75)
    assert image_size(seg(test=[resize], train=[resize, crop])) == (512, 768)
    assert image_size(seg(test=[resize], train=[])) == (1024, 2048)
    by_factor = dict(type='Resize', scale_factor=0.5)
    assert image_size(seg(test=[resize], train=[by_factor])) == (1024, 2048)
    with pytest.raises(UsageError, match='sets no image size'):
        image_size(seg(test=[], train=[]))


def test_sizes_of_classifiers() -> None:
    pipeline = [dict(type='ResizeEdge', scale=73), dict(type='CenterCrop')]
    pipeline[1]['crop_size'] = 64
    test = dict(dataset=dict(type='X', pipeline=pipeline))
    cfg = Config(dict(default_scope='mmpretrain', test_dataloader=test))
    assert image_size(cfg) == (64, 64)
    # Prefixed names, and the dataset inside a wrapper.
    pipeline[1]['type'] = 'mmpretrain.CenterCrop'
    wrapped = dict(dataset=dict(type='RepeatDataset', dataset=test['dataset']))
    cfg = Config(dict(default_scope='mmpretrain', test_dataloader=wrapped))
    assert image_size(cfg) == (64, 64)


def test_transforms_of_mmcv_are_given_the_width_first() -> None:
    resize = dict(type='Resize', scale=(48, 32))
    crop = dict(type='CenterCrop', crop_size=(40, 24))
    for scope in ('mmpretrain', 'mmseg'):
        cfg = seg(test=[resize], train=[resize])
        cfg.default_scope = scope
        assert image_size(cfg) == (32, 48)
        cfg = seg(test=[resize, crop], train=[resize, crop])
        cfg.default_scope = scope
        assert image_size(cfg) == (24, 40)


def test_padding_of_the_preprocessor() -> None:
    cfg = seg(test=[], train=[dict(type='RandomCrop', crop_size=(360, 480))])
    cfg.model = dict(data_preprocessor=dict(size_divisor=16))
    assert input_size(cfg) == (368, 480)
    cfg.model = dict(data_preprocessor=None)
    assert input_size(cfg) == (360, 480)


def test_sizes_of_detectors_and_pose_estimators() -> None:
    resize = dict(type='Resize', scale=(1333, 800), keep_ratio=True)
    cfg = seg(test=[resize], train=[])
    cfg.default_scope = 'mmdet'
    cfg.model = dict(data_preprocessor=dict(pad_size_divisor=32))
    assert image_size(cfg) == (800, 1333)
    assert input_size(cfg) == (800, 1344)
    affine = dict(type='TopdownAffine', input_size=(192, 256))
    cfg = seg(test=[affine], train=[])
    cfg.default_scope = 'mmpose'
    assert image_size(cfg) == (256, 192)
