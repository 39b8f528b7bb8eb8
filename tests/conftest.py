"""Fixtures shared by all tests: images, made or, where they are, real."""

import json
import os
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import utils as config_utils
from PIL import Image

from mlfm_mm.datasets.imagenet100.classes import RANKS

REPO = Path(__file__).resolve().parents[1]

if 'OMP_NUM_THREADS' not in os.environ:
    # Small networks gain little from threads, and threads that wait for one
    # another take many times as long where others use the cores, too. The
    # variable is for what tests start.
    os.environ['OMP_NUM_THREADS'] = '1'
    torch.set_num_threads(1)


@pytest.fixture(scope='session')
def host_indexes_read_once() -> Iterator[None]:
    """Spare reading all metafiles of a host for each config based on one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config_utils, 'load', cache(config_utils.load))
        yield


@pytest.fixture(scope='session')
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with squares/ and the work folders of two U-Nets."""
    # Not above: it needs both hosts.
    from tests.segment_runs import train_runs

    return train_runs(tmp_path_factory.mktemp('squares'))


@pytest.fixture(scope='session')
def data_root() -> Path:
    """The folder of the data archives: $MLFM_DATA, else data/."""
    root = Path(os.environ.get('MLFM_DATA') or REPO / 'data')
    if not root.is_dir():
        pytest.skip(f'no data folder {root}: set MLFM_DATA to have one')
    return root.resolve()


def require(path: Path) -> Path:
    """Give back an existing path, else skip the test."""
    if not path.exists():
        pytest.skip(f'no {path.name} in the data folder {path.parent}')
    return path


def unpacked(root: Path, name: str, factory: pytest.TempPathFactory) -> Path:
    """Give the folder ``name`` of the data, unpacking its archive once."""
    if (root / name).is_dir():
        return root / name
    archive = require(root / f'{name}.zip')
    target = factory.mktemp(name, numbered=False)
    with zipfile.ZipFile(archive) as file:
        file.extractall(target)
    return target


@pytest.fixture(scope='session')
def imagenet100_samples(
    data_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with val.X/<wnid>/*.JPEG, one each, and Labels.json."""
    return unpacked(data_root, 'imagenet100_samples', tmp_path_factory)


@pytest.fixture(scope='session')
def camvid(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images/<split>/*.jpg and annotations/<split>/*.png."""
    return unpacked(data_root, 'camvid', tmp_path_factory)


@pytest.fixture(scope='session')
def authors_weights(data_root: Path) -> Path:
    """The folder with the authors' two checkpoints."""
    require(data_root / 'authors_mobilenetv2_x0.1_baseline.pth')
    require(data_root / 'authors_mobilenetv2_x0.1_mlfm_concat.pth')
    return data_root


@pytest.fixture(scope='session')
def hundred_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``imagenet100_samples``, of small images that are made here."""
    root = tmp_path_factory.mktemp('hundred')
    for i, wnid in enumerate(RANKS):
        write_image(root / 'val.X' / wnid / f'{wnid}_made.JPEG', i)
    labels = {wnid: f'class {wnid}' for wnid in RANKS}
    (root / 'Labels.json').write_text(json.dumps(labels))
    return root


@pytest.fixture(scope='session')
def four_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``tiny_imagenet``, of small images that are made here."""
    root = tmp_path_factory.mktemp('four')
    for split, count in (('train', 20), ('val', 5)):
        for i, wnid in enumerate([*RANKS][:4]):
            for j in range(count):
                write_image(root / split / wnid / f'{j}.JPEG', 100 * i + j)
    return root


@pytest.fixture(scope='session')
def two_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``camvid``, of two small images that are made here."""
    root = tmp_path_factory.mktemp('scenes')
    for i in range(2):
        write_image(root / 'images' / 'train' / f'{i}.jpg', i)
        mask = root / 'annotations' / 'train' / f'{i}.png'
        mask.parent.mkdir(parents=True, exist_ok=True)
        rows = np.arange(72, dtype=np.uint8) // 6
        Image.fromarray(np.tile(rows[:, None], 80)).save(mask)
    return root


def write_image(path: Path, seed: int) -> None:
    """Write smooth noise of 80x72 pixels."""
    noise = np.random.default_rng(seed).integers(0, 256, (9, 10, 3))
    image = Image.fromarray(noise.astype('uint8')).resize((80, 72))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


TinyImageNetMaker = Callable[[int, int, int], Path]


@pytest.fixture(scope='session')
def make_tiny_imagenet(
    data_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> TinyImageNetMaker:
    """Function that unpacks a few images of a few classes.

    Called with the number of classes, of training and of validation images
    per class; gives a folder with train/<wnid>/ and val/<wnid>/.
    """

    def make(classes: int, train: int, val: int) -> Path:
        archive = require(data_root / 'tiny_imagenet100_a.zip')
        target = tmp_path_factory.mktemp('tiny_imagenet')
        with zipfile.ZipFile(archive) as file:
            members = sorted(file.namelist())
            chosen = first_per_class(members, 'train', classes, train)
            chosen += first_per_class(members, 'val', classes, val)
            file.extractall(target, chosen)
        return target

    return make


@pytest.fixture(scope='session')
def tiny_imagenet(make_tiny_imagenet: TinyImageNetMaker) -> Path:
    """Four classes of Tiny ImageNet: 20 and 5 images of each."""
    return make_tiny_imagenet(4, 20, 5)


def first_per_class(
    members: list[str], split: str, classes: int, images: int
) -> list[str]:
    """Choose the first images of the first classes of a split."""
    by_class: dict[str, list[str]] = {}
    for name in members:
        if name.startswith(f'{split}/') and name.endswith('.JPEG'):
            by_class.setdefault(name.split('/')[1], []).append(name)
    first = sorted(by_class)[:classes]
    return [name for wnid in first for name in by_class[wnid][:images]]
