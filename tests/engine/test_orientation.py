"""A photograph with a note of its camera, and its mask."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mlfm_mm.engine import prepare_training
from mlfm_mm.engine.orientation import read_as_stored
from tests.hosts import needs_mmseg

CONFIG = """
_base_ = ['mmseg::_base_/datasets/{data}.py']
default_scope = 'mmseg'
model = dict(type='EncoderDecoder')
train_cfg = dict(type='IterBasedTrainLoop', max_iters=1)
"""


@needs_mmseg
@pytest.mark.parametrize('data', ['cityscapes', 'ade20k', 'drive'])
def test_every_data_set_of_the_host_reads_as_stored(
    data: str, tmp_path: Path
) -> None:
    file = tmp_path / 'config.py'
    file.write_text(CONFIG.format(data=data))
    cfg = prepare_training(str(file), work_dir=str(tmp_path))
    for name in ('train_dataloader', 'val_dataloader'):
        dataset = cfg[name].dataset
        dataset = dataset.get('dataset', dataset)
        load = dataset.pipeline[0]
        assert load.color_type == 'color_ignore_orientation', name


@needs_mmseg
def test_picture_and_mask_fit(tmp_path: Path) -> None:
    from mmengine.registry import DefaultScope
    from mmseg.registry import TRANSFORMS

    pixels = np.zeros((8, 12, 3), np.uint8)
    pixels[:, :6] = 255
    note = Image.Exif()
    note[0x0112] = 6  # turned by a quarter
    picture, mask = tmp_path / 'a.png', tmp_path / 'mask.png'
    Image.fromarray(pixels).save(picture, exif=note)
    Image.fromarray(pixels[..., 0] // 255).save(mask)
    steps = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
    loader = dict(dataset=dict(pipeline=steps))
    cfg = Config(dict(train_dataloader=loader, default_scope='mmseg'))
    read_as_stored(cfg, ('train_dataloader',))
    sample = dict(
        img_path=str(picture),
        seg_map_path=str(mask),
        reduce_zero_label=False,
        seg_fields=[],
    )
    with DefaultScope.overwrite_default_scope('mmseg'):
        for step in cfg.train_dataloader.dataset.pipeline:
            sample = TRANSFORMS.build(step)(sample)
    found = sample['img'][..., 0] // 255
    assert np.array_equal(found, sample['gt_seg_map'])


def test_what_a_config_says_is_kept() -> None:
    step = dict(type='LoadImageFromFile', color_type='color')
    cfg = Config(dict(test_dataloader=dict(dataset=dict(pipeline=[step]))))
    read_as_stored(cfg, ('test_dataloader',))
    assert cfg.test_dataloader.dataset.pipeline[0].color_type == 'color'


def test_turbojpeg_never_turns() -> None:
    step = dict(type='LoadImageFromFile', imdecode_backend='turbojpeg')
    cfg = Config(dict(test_dataloader=dict(dataset=dict(pipeline=[step]))))
    read_as_stored(cfg, ('test_dataloader',))
    assert cfg.test_dataloader.dataset.pipeline == [step]
