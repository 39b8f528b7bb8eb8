from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('mmpretrain')

from mmengine.config import Config
from mmengine.dataset import BaseDataset, ConcatDataset

from mlfm_mm.datasets import FolderError
from mlfm_mm.datasets.inspection import judge, look_at
from mlfm_mm.datasets.listing import (
    SPLITS,
    build_datasets,
    list_infos,
    turns_pictures,
    without_checks,
)
from tests.tools.helpers import write_image, write_image_folder


def loader(root: Path, **more: object) -> dict:
    dataset = dict(type='mlfm_mm.ImageFolder', data_root=str(root), **more)
    load = [dict(type='mmpretrain.LoadImageFromFile')]
    return dict(dataset=dict(dataset, pipeline=load))


def paths(dataset: BaseDataset) -> list[str]:
    return [info['img_path'] for info in list_infos(dataset)]


def test_only_a_test_set_that_is_the_validation_set_is_left_out(
    tmp_path: Path,
) -> None:
    root = write_image_folder(tmp_path / 'images', 3)
    same = {f'{split}_dataloader': loader(root) for split in SPLITS}
    built, absent = build_datasets(Config(same))
    assert list(built) == ['train', 'val'] and not absent
    seen = {s: [*map(look_at, list_infos(d))] for s, d in built.items()}
    found = [finding[:2] for finding in judge(seen)]
    assert found == [('duplicate', 'val')] * 4
    del same['val_dataloader']
    assert list(build_datasets(Config(same))[0]) == ['train', 'test']


def test_each_data_set_once_and_what_is_not_there(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path / 'images', 3)
    cfg = Config(
        dict(
            train_dataloader=loader(root),
            val_dataloader=loader(tmp_path / 'none'),
            test_dataloader=loader(tmp_path / 'none'),
        )
    )
    built, [(*place, why)] = build_datasets(cfg)
    assert list(built) == ['train'] and place == ['not there', 'val']
    assert 'there is no folder' in why
    cfg.train_dataloader = cfg.test_dataloader = cfg.val_dataloader
    with pytest.raises(FolderError, match='there is no folder'):
        build_datasets(cfg)
    with pytest.raises(FolderError, match='the config has no data'):
        build_datasets(Config(dict(train_dataloader=None)))


class Unlisted:
    """A data set that is only indexed, as mmpretrain's of several tasks."""

    def __init__(self, pipeline: list) -> None:
        pass


def test_data_sets_that_list_nothing(tmp_path: Path) -> None:
    unlisted = dict(dataset=dict(type=Unlisted, pipeline=[]))
    root = write_image_folder(tmp_path / 'images', 3)
    cfg = dict(train_dataloader=unlisted, val_dataloader=loader(root))
    built, [(*place, why)] = build_datasets(Config(cfg))
    assert list(built) == ['val'] and place == ['not there', 'train']
    assert 'Unlisted does not list its images' in why


def test_files_that_are_left_out_are_listed(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path / 'images', 3)
    broken = root / 'dark' / 'broken.png'
    broken.write_bytes(b'')
    settings = loader(root, unreadable='refuse', split='train')
    split = dict(
        train_dataloader=settings, val_dataloader=loader(root, split='val')
    )
    built, _ = build_datasets(Config(split))
    names = [name for data in built.values() for name in paths(data)]
    assert str(broken) in names and len({*names}) == 7


def by_class() -> type:
    """As configs in pure Python name a data set."""
    pytest.importorskip('mmseg')
    from mlfm_mm.datasets.camvid.dataset import CamVid

    return CamVid


def below() -> type:
    """A user's own."""
    return type('Streets', (by_class(),), {})


@pytest.mark.parametrize('kind', [by_class, below])
def test_checks_are_found_by_the_class(kind: Callable) -> None:
    found = without_checks(dict(type=kind(), unreadable='refuse'))
    assert found == dict(type=found['type'], unreadable='skip', check=False)


def test_wrapped_data_sets_lose_their_checks() -> None:
    inner = dict(type='mlfm_mm.CamVid', unreadable='refuse', pipeline=[1])
    found = without_checks(dict(type='Concat', datasets=[inner, inner]))
    changed = dict(inner, unreadable='skip', pipeline=[], check=False)
    assert found['datasets'] == [changed, changed]
    assert inner['unreadable'] == 'refuse'


@pytest.mark.parametrize(
    ('color', 'turns'),
    [({}, True), (dict(color_type='color_ignore_orientation'), False)],
)
def test_who_turns_pictures(color: dict, turns: bool) -> None:
    load = dict(type='LoadImageFromFile', **color)
    dataset = dict(type='X', pipeline=[load])
    cfg = Config(dict(train_dataloader=dict(dataset=dataset)))
    assert turns_pictures(cfg) == turns
    # A data set inside another, and a config that only tests.
    wrapped = dict(type='RepeatDataset', times=2, dataset=dataset)
    cfg.train_dataloader.dataset = wrapped
    assert turns_pictures(cfg) == turns
    cfg = Config(dict(test_dataloader=dict(dataset=dataset)))
    assert turns_pictures(cfg) == turns


def test_a_repeated_data_set_is_looked_at_once(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path / 'images', 3)
    inner = loader(root, split='train')['dataset']
    repeated = dict(type='RepeatDataset', times=40000, dataset=inner)
    cfg = Config(dict(train_dataloader=dict(dataset=repeated)))
    built, _ = build_datasets(cfg)
    assert len(list_infos(built['train'])) == 4


def twice(inner: dict) -> dict:
    return dict(type='RepeatDataset', times=2, dataset=inner)


def joined(inner: dict) -> dict:
    return dict(type='ConcatDataset', datasets=[inner])


def balanced(inner: dict) -> dict:
    return dict(type='ClassBalancedDataset', oversample_thr=0.1, dataset=inner)


@pytest.mark.parametrize('wrap', [twice, joined, balanced])
def test_what_a_wrapped_data_set_leaves_out_is_listed(
    wrap: Callable, tmp_path: Path
) -> None:
    root = write_image_folder(tmp_path / 'images', 3)
    empty = root / 'dark' / 'empty.png'
    empty.touch()
    inner = wrap(loader(root)['dataset'])
    cfg = Config(dict(train_dataloader=dict(dataset=inner)))
    built, _ = build_datasets(cfg)
    assert str(empty) in paths(built['train'])


def test_images_in_memory_keep_their_places() -> None:
    class InMemory(BaseDataset):
        def load_data_list(self) -> list[dict]:
            return [dict(img=np.zeros((2, 2, 3)), gt_label=0)] * 2

    infos = list_infos(ConcatDataset([InMemory(), InMemory()]))
    assert [look_at(info).name for info in infos] == ['0', '1', '2', '3']


def test_images_that_would_be_decoded_are_listed(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path / 'images', 3)
    torn = [root / 'grey' / f'{index}.png' for index in range(3)]
    for path in torn:
        write_image(path, 0, 120)
        path.write_bytes(path.read_bytes()[:-500])
    (root / 'grey' / 'empty.png').touch()
    settings = loader(root, every_nth_class=2)
    settings['dataset']['type'] = 'mlfm_mm.DecodedImageFolder'
    built, _ = build_datasets(Config(dict(train_dataloader=settings)))
    seen = [look_at(info) for info in list_infos(built['train'])]
    assert [s.fault for s in seen] == ['empty', '', '', *['unreadable'] * 2]
    assert built['train'].CLASSES == ('bright', 'grey')
    assert [s.labels for s in seen[1:3]] == [(0,), (0,)]
