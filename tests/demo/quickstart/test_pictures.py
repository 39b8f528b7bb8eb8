from pathlib import Path

import pytest
import torch
from PIL import Image

from demo.quickstart.pictures import (
    first_of_each_class,
    low_band,
    save_pictures,
)
from demo.quickstart.recipe import Settings, make_config
from tests.tools.helpers import write_image_folder


@pytest.mark.parametrize(('data', 'rows'), [('digits', 3), ('folder', 2)])
def test_rows_of_what_is_given(data: str, rows: int, tmp_path: Path) -> None:
    folder = None
    if data == 'folder':
        folder = str(write_image_folder(tmp_path / 'images', 6))
    cfg = make_config('mlfm', 0, Settings(data=folder), None)
    save_pictures(cfg, tmp_path / 'pictures.png')
    with Image.open(tmp_path / 'pictures.png') as picture:
        height = picture.height
    assert height == pytest.approx(150 * 1.15 * rows, abs=2)


def test_one_picture_of_each_digit() -> None:
    cfg = make_config('mlfm', 0, Settings(), None)
    pictures = first_of_each_class(cfg, cfg.val_dataloader.dataset)
    assert [tuple(p.shape) for p in pictures] == [(3, 32, 32)] * 10


def test_the_low_band_is_the_mean_of_blocks() -> None:
    picture = torch.arange(0, 256, dtype=torch.uint8).view(1, 16, 16)
    band = low_band(picture.expand(3, 16, 16))
    assert band.shape == (3, 4, 4)
    means = picture.double().view(4, 4, 4, 4).mean((1, 3))
    expected = 255 * (means - means.min()) / (means.max() - means.min())
    assert (band[0] - expected).abs().max() <= 1
