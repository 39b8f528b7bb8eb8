"""Folders of ImageNet-100 with tiny images."""

import json
from pathlib import Path

from PIL import Image

from mlfm_mm.datasets import ImageNet100

WNIDS = ImageNet100.METAINFO['wnids']
NAMES = ImageNet100.METAINFO['classes']


def make_image(path: Path) -> None:
    """Write an image of 4x4 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (4, 4), (200, 100, 0)).save(path, 'JPEG')


def make_class(folder: Path, images: int = 1) -> None:
    """Write the images of a class."""
    for i in range(images):
        make_image(folder / f'{folder.name}_{i}.JPEG')


def write_kaggle(root: Path) -> Path:
    """Write the layout as it is unpacked, two training images a class."""
    for i, wnid in enumerate(WNIDS):
        make_class(root / f'train.X{i // 25 + 1}' / wnid, 2)
        make_class(root / 'val.X' / wnid)
    labels = dict(zip(WNIDS, NAMES, strict=True))
    (root / 'Labels.json').write_text(json.dumps(labels))
    return root


def write_imagenet_1k(root: Path) -> Path:
    """Write a tree of 1,000 classes, of which 100 have an image."""
    for wnid in WNIDS:
        make_class(root / 'train' / wnid)
        make_class(root / 'val' / wnid)
    for i in range(900):
        (root / 'train' / f'n9{i:07}').mkdir()
    return root
