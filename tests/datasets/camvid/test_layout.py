from pathlib import Path

import pytest

from mlfm_mm.datasets import FolderError
from mlfm_mm.datasets.camvid.layout import find_pairs
from tests.datasets.camvid.pictures import NAMES, write


@pytest.mark.parametrize('segnet', [False, True])
def test_both_layouts(tmp_path: Path, segnet: bool) -> None:
    pairs = find_pairs(write(tmp_path, segnet), 'train')
    for pair, name in zip(pairs, NAMES, strict=True):
        assert pair.image.stem == pair.mask.stem == name
        assert pair.mask.parent.name == ('trainannot' if segnet else 'train')


@pytest.mark.parametrize('split', ['trian', '../train'])
def test_unknown_split(tmp_path: Path, split: str) -> None:
    with pytest.raises(FolderError, match='split must be one of'):
        find_pairs(write(tmp_path), split)


def test_no_folder(tmp_path: Path) -> None:
    # The message says where to get the data, and how to arrange them.
    with pytest.raises(
        FolderError,
        match=r'no folder .*Check data_root.*https://.*camvid.py IMAGES',
    ):
        find_pairs(tmp_path / 'nowhere', 'train')


def test_another_folder(tmp_path: Path) -> None:
    (tmp_path / '701_StillsRaw_full').mkdir()
    with pytest.raises(FolderError) as error:
        find_pairs(tmp_path, 'train')
    for part in ('701_StillsRaw_full', '<split>annot', 'camvid.py IMAGES'):
        assert part in str(error.value)


def test_a_split_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="does not hold the split 'val'"):
        find_pairs(write(tmp_path), 'val')


def test_missing_masks(tmp_path: Path) -> None:
    root = write(tmp_path)
    (root / 'annotations' / 'train' / f'{NAMES[1]}.png').unlink()
    with pytest.raises(FolderError) as error:
        find_pairs(root, 'train')
    assert '1 of 2 pictures' in str(error.value)
    assert f'{NAMES[1]}.png' in str(error.value)


def test_an_empty_split(tmp_path: Path) -> None:
    (tmp_path / 'train').mkdir()
    (tmp_path / 'trainannot').mkdir()
    with pytest.raises(FolderError, match='holds no pictures'):
        find_pairs(tmp_path, 'train')
