from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from mlfm_mm.datasets import FolderError
from mlfm_mm.datasets.camvid.layout import Pair
from mlfm_mm.datasets.camvid.masks import Look, look_at, look_at_all


def pair(folder: Path, mask: np.ndarray, orientation: int = 1) -> Pair:
    """Write a picture of 8x6 pixels and a mask."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.new('RGB', (8, 6)).save(folder / 'a.jpg', exif=exif)
    Image.fromarray(mask).save(folder / 'a.png')
    return Pair(folder / 'a.jpg', folder / 'a.png')


@pytest.mark.parametrize(
    ('mask', 'fault'),
    [
        (np.full((6, 8), 11, np.uint8), ''),
        (np.full((6, 8), 255, np.uint8), ''),
        (np.full((6, 8), 12, np.uint8), 'a.png has the labels 12 beyond'),
        (np.zeros((8, 6), np.uint8), 'has 6x8 pixels, its picture 8x6'),
        (np.zeros((6, 8, 3), np.uint8), 'is a picture in colours (RGB)'),
    ],
)
def test_masks(tmp_path: Path, mask: np.ndarray, fault: str) -> None:
    found = pair(tmp_path, mask)
    look = look_at(found)
    assert fault in look.fault and bool(look.fault) == (fault != '')
    assert not look.unreadable and not look.turned
    if fault:
        with pytest.raises(FolderError, match=r'1 of 2 masks of .*camvid.py'):
            look_at_all([found, Pair(Path('no.jpg'), Path('no.png'))])


@pytest.mark.parametrize('name', ['a.jpg', 'a.png'])
def test_files_that_are_no_images(tmp_path: Path, name: str) -> None:
    found = pair(tmp_path, np.zeros((6, 8), np.uint8))
    (tmp_path / name).write_bytes(b'')
    assert look_at_all([found]) == [Look(unreadable=str(tmp_path / name))]


@pytest.mark.parametrize('orientation', [3, 6])
def test_pictures_to_be_turned(tmp_path: Path, orientation: int) -> None:
    found = pair(tmp_path, np.zeros((6, 8), np.uint8), orientation)
    assert look_at(found) == Look(turned=True)
