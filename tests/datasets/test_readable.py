from pathlib import Path

import pytest

pytest.importorskip('mmpretrain')

from mmengine.registry import DATASETS, DefaultScope
from torch.utils.data import DataLoader

from mlfm_mm.datasets import FolderError, ReadableDataset
from tests.tools.helpers import write_image_folder

LOAD = [dict(type='LoadImageFromFile')]


def build(root: Path, **options: object) -> ReadableDataset:
    """Wrap a dataset of mmpretrain."""
    inner = dict(type='CustomDataset', data_root=str(root), pipeline=LOAD)
    config = dict(type='mlfm_mm.ReadableDataset', dataset=inner, **options)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return DATASETS.build(config)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six images, of which one is empty and one is torn."""
    write_image_folder(tmp_path, 3)
    (tmp_path / 'bright' / '1.png').write_bytes(b'')
    torn = tmp_path / 'dark' / '0.png'
    torn.write_bytes(torn.read_bytes()[:-500])
    return tmp_path


@pytest.mark.parametrize('workers', [0, 2])
def test_skips(folder: Path, workers: int) -> None:
    dataset = build(folder)
    assert len(dataset) == 5
    assert dataset.CLASSES == ('bright', 'dark')
    # 0 and 2 of bright, 0 to 2 of dark.
    labels = [dataset.get_cat_ids(i) for i in range(5)]
    assert labels == [[0], [0], [1], [1], [1]]
    loader = DataLoader(
        dataset, 2, num_workers=workers, collate_fn=list, timeout=60 * workers
    )
    paths = [item['img_path'] for batch in loader for item in batch]
    assert [Path(path).name for path in paths] == [
        *('0.png', '2.png'),
        *('1.png', '1.png', '2.png'),
    ]
    # What a worker process met is known here.
    assert dataset.unreadable.take_failed() == [2]


@pytest.mark.parametrize('workers', [0, 2])
def test_refuses(folder: Path, workers: int) -> None:
    with pytest.raises(FolderError, match=r'1 of 6 files .*bright/1.png'):
        build(folder, unreadable='refuse')
    (folder / 'bright' / '1.png').unlink()
    dataset = build(folder, unreadable='refuse')
    loader = DataLoader(
        dataset, 2, num_workers=workers, collate_fn=list, timeout=60 * workers
    )
    with pytest.raises(FolderError, match=r'dark/0.png cannot be decoded'):
        list(loader)


def test_reads_the_list_late(folder: Path) -> None:
    dataset = build(folder, lazy_init=True)
    assert dataset.kept == []
    assert len(dataset) == 5


@pytest.mark.parametrize('unreadable', ['skip', 'refuse'])
def test_nothing_that_can_be_read(tmp_path: Path, unreadable: str) -> None:
    (tmp_path / 'list.txt').write_text('a.jpg 0\nb.jpg 1\nc.jpg 1\n')
    inner = dict(
        type='mmpretrain.CustomDataset',
        data_root=str(tmp_path),
        ann_file='list.txt',
        data_prefix='nowhere',
    )
    with pytest.raises(
        FolderError, match=r'none of the 3 .*nowhere/a.jpg .*data_prefix'
    ):
        ReadableDataset(inner, unreadable)


def test_a_data_set_of_nothing(tmp_path: Path) -> None:
    (tmp_path / 'list.txt').touch()
    inner = dict(
        type='mmpretrain.CustomDataset',
        ann_file=str(tmp_path / 'list.txt'),
        serialize_data=False,
    )
    assert len(ReadableDataset(inner)) == 0
