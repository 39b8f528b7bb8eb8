import gc
from pathlib import Path

import pytest

pytest.importorskip('mmpretrain')

from mlfm_mm.datasets import FolderError, ImageFolder, scan_folder
from mlfm_mm.datasets.folders import FolderContents
from tests.tools.helpers import write_image_folder

LOAD = [
    dict(type='mmpretrain.LoadImageFromFile'),
    dict(type='mmpretrain.PackInputs'),
]


def test_both_splits(tmp_path: Path) -> None:
    root = str(write_image_folder(tmp_path))
    contents = scan_folder(root)
    for split in ('train', 'val'):
        dataset = ImageFolder(root, split=split, pipeline=LOAD)
        assert dataset.CLASSES == ('bright', 'dark')
        assert len(dataset) == len(getattr(contents, split))
        packed = dataset[len(dataset) - 1]
        assert packed['inputs'].shape == (3, 40, 40)
        assert packed['data_samples'].gt_label.item() == 1
    assert f'Root: \t{root}' in repr(dataset)


def test_real_images(tiny_imagenet: Path) -> None:
    dataset = ImageFolder(
        str(tiny_imagenet), split='val', max_per_class=3, pipeline=LOAD
    )
    assert len(dataset) == 12 and len(dataset.CLASSES) == 4
    assert dataset[0]['inputs'].shape == (3, 64, 64)


def test_unknown_split(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not 'test'"):
        ImageFolder(str(tmp_path), split='test')


def test_names_of_ones_own(tmp_path: Path) -> None:
    root = str(write_image_folder(tmp_path))
    names = ('day', 'night')
    dataset = ImageFolder(root, metainfo=dict(classes=names))
    assert names == dataset.CLASSES
    with pytest.raises(FolderError, match=r'names 3 classes, but .* holds 2'):
        ImageFolder(root, metainfo=dict(classes=('a', 'b', 'c')))
    with pytest.raises(FolderError, match=r'another order .*bright, dark'):
        ImageFolder(root, metainfo=dict(classes=['dark', 'bright']))


def test_a_folder_that_has_changed_is_read_anew(tmp_path: Path) -> None:
    root = str(write_image_folder(tmp_path, 5))
    assert len(ImageFolder(root)) == 8
    write_image_folder(tmp_path, 10)
    assert len(ImageFolder(root)) == 16
    assert len(scan_folder(root).train) == 16


def test_no_list_of_images_outlives_its_data_set(tmp_path: Path) -> None:
    # Beside MMEngine's own, which is packed, it would take twice the memory.
    root = str(write_image_folder(tmp_path, 10))
    (tmp_path / 'bright' / 'notes.txt').touch()

    def held() -> list[tuple[int, int]]:
        found = [o for o in gc.get_objects() if type(o) is FolderContents]
        return [(len(o.train), len(o.val)) for o in found]

    ImageFolder(root)
    assert held() == [(0, 4)]
    ImageFolder(root, split='val')
    assert held() == []


def test_both_splits_come_from_one_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = str(write_image_folder(tmp_path, 5))
    read = []
    monkeypatch.setattr(
        'mlfm_mm.datasets.image_folder.scan_folder',
        lambda *args: read.append(args) or scan_folder(*args),
    )
    for split in ('train', 'val', 'train', 'val', 'val'):
        ImageFolder(root, split=split)
    assert len(read) == 3
    ImageFolder(root, val_fraction=0.5)
    assert read[-1] == (root, 0.5, None) and len(read) == 4
