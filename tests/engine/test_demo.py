from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from PIL import ExifTags, Image

from mlfm_mm.engine.demo import run_demo
from mlfm_mm.engine.options import load_config
from tests.hosts import needs_mmseg
from tests.tools.helpers import CONFIGS


@needs_mmseg
@pytest.mark.parametrize(
    ('orientation', 'stored'),
    [(3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_90)],
)
def test_segments_a_picture_as_its_camera_held_it(
    tmp_path: Path, orientation: int, stored: Image.Transpose
) -> None:
    config = str(CONFIGS / 'mlfm' / 'unet_w8_camvid.py')
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = MODELS.build(load_config(config).model)
    weights = str(tmp_path / 'weights.pth')
    torch.save(dict(meta={}, state_dict=model.state_dict()), weights)
    pixels = np.random.default_rng(0).integers(0, 255, (72, 96, 3), np.uint8)
    upright = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    upright.save(tmp_path / 'upright.png')
    upright.transpose(stored).save(tmp_path / 'turned.png', exif=exif)
    told, shown = [], []
    for name in ('upright', 'turned'):
        out = str(tmp_path / f'{name}_out.png')
        told.append(
            run_demo(str(tmp_path / f'{name}.png'), config, weights, out)
        )
        shown.append(np.asarray(Image.open(out)))
    assert told[0] == told[1]
    assert (shown[0] == shown[1]).all()
