"""Test pipelines in the words of the metadata, or named where these fail."""

import pytest
from mmengine.config import Config

from mlfm_mm.analysis.export.preparation import Preparation, preparation_of
from mlfm_mm.engine import UsageError

SQUASH = dict(type='Resize', scale=64)
SHRINK = dict(type='ResizeEdge', scale=64)
CROP = dict(type='mmpretrain.CenterCrop', crop_size=48)


def config(*steps: dict) -> Config:
    pipeline = [
        dict(type='LoadImageFromFile'),
        *steps,
        dict(type='PackInputs'),
    ]
    return Config(dict(test_pipeline=pipeline))


@pytest.mark.parametrize(
    ('steps', 'expected'),
    [
        ([], Preparation()),
        ([SHRINK, CROP], Preparation(True, 0.75)),
        ([SQUASH], Preparation(False)),
        ([SQUASH, CROP], Preparation(False, 0.75)),
        (
            [dict(SQUASH, scale=(128, 64)), dict(CROP, crop_size=(96, 48))],
            Preparation(False, 0.75),
        ),
        (
            [dict(type='EfficientNetCenterCrop', crop_size=96)],
            Preparation(True, 0.75),
        ),
        (
            [dict(SQUASH, backend='pillow')],
            Preparation(False, antialias=True),
        ),
        # What is left out beside what can be said.
        (
            [SQUASH, dict(type='mlfm_mm.AddTexture')],
            Preparation(False, 1.0, ('AddTexture',)),
        ),
    ],
)
def test_what_can_be_said(steps: list[dict], expected: Preparation) -> None:
    assert preparation_of(config(*steps), False) == expected


@pytest.mark.parametrize(
    'steps',
    [
        [dict(SQUASH, keep_ratio=True)],
        [dict(type='Resize', scale_factor=0.5)],
        [SHRINK],
        [CROP],
        [dict(SHRINK, edge='long'), CROP],
        [SHRINK, dict(CROP, crop_size=(32, 48))],
        # Of a smaller picture.
        [SHRINK, dict(CROP, crop_size=96)],
        [dict(type='torchvision/Resize', size=64), CROP],
        [SQUASH, CROP, SQUASH],
    ],
)
def test_what_cannot_be_said_is_named(steps: list[dict]) -> None:
    names = [step['type'].removeprefix('mmpretrain.') for step in steps]
    expected = Preparation(True, 1.0, tuple(names))
    assert preparation_of(config(*steps), False) == expected


def test_segmentors_take_pictures_as_they_are() -> None:
    assert preparation_of(config(), True) == Preparation()
    found = preparation_of(config(SQUASH), True)
    assert found == Preparation(left_out=('Resize',))
    windows = Config(dict(model=dict(test_cfg=dict(mode='slide'))))
    found = preparation_of(windows, True)
    assert found == Preparation(left_out=('sliding windows',))


def test_no_pipeline() -> None:
    assert preparation_of(Config(), True) == Preparation()
    with pytest.raises(UsageError, match='how an image is prepared'):
        preparation_of(Config(), False)
