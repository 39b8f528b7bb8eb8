from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('mmpretrain')

from mlfm_mm.datasets import DecodedImageFolder, FolderError, ImageFolder
from tests.tools.helpers import write_image

PACK = dict(type='mmpretrain.PackInputs')
LOAD = dict(type='mmpretrain.LoadImageFromFile')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index, name in enumerate('abcdef'):
        for split, count in (('train', 3), ('val', 2)):
            for i in range(count):
                path = tmp_path / split / name / f'{i}.png'
                write_image(path, 10 * index + i, 30 * index + 40)
    return tmp_path


@pytest.mark.parametrize('split', ['train', 'val'])
def test_same_images_as_from_files(folder: Path, split: str) -> None:
    settings = dict(data_root=str(folder), split=split)
    read = ImageFolder(**settings, pipeline=[LOAD, PACK])
    held = DecodedImageFolder(**settings, pipeline=[PACK])
    assert len(held) == len(read) and held.CLASSES == read.CLASSES
    for index in range(len(read)):
        expected, found = read[index], held[index]
        assert np.array_equal(found['inputs'], expected['inputs'])
        for key in ('img_shape', 'ori_shape', 'img_path'):
            value = getattr(expected['data_samples'], key)
            assert getattr(found['data_samples'], key) == value


def test_every_other_class(folder: Path) -> None:
    dataset = DecodedImageFolder(
        str(folder), every_nth_class=2, pipeline=[PACK]
    )
    assert dataset.CLASSES == ('a', 'c', 'e')
    pairs = {
        (Path(d['img_path']).parent.name, d['gt_label'])
        for d in map(dataset.get_data_info, range(len(dataset)))
    }
    assert pairs == {('a', 0), ('c', 1), ('e', 2)} and len(dataset) == 9


@pytest.mark.parametrize(('step', 'message'), [(0, 'must be 1'), (6, 'two')])
def test_wrong_step(folder: Path, step: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DecodedImageFolder(str(folder), every_nth_class=step)


def test_broken_image(folder: Path) -> None:
    path = folder / 'train' / 'a' / '0.png'
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(FolderError, match=r'0.png cannot be decoded'):
        DecodedImageFolder(str(folder))
