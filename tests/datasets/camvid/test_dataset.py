from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.config import Config
from PIL import ExifTags, Image

from mlfm_mm.datasets import FolderError
from mlfm_mm.datasets.camvid.classes import CLASSES, split_of
from mlfm_mm.datasets.camvid.layout import find_pairs
from mlfm_mm.registry import DATASETS
from tests.datasets.camvid.pictures import NAMES, write
from tests.hosts import needs_mmseg
from tests.tools.helpers import REPO

pytestmark = needs_mmseg


def build(root: Path, **options: Any) -> Any:
    load = [
        dict(type='mmseg.LoadImageFromFile'),
        dict(type='mmseg.LoadAnnotations'),
    ]
    return DATASETS.build(
        dict(type='CamVid', data_root=str(root), pipeline=load, **options)
    )


@pytest.mark.parametrize('segnet', [False, True])
def test_both_layouts_and_void(tmp_path: Path, segnet: bool) -> None:
    dataset = build(write(tmp_path, segnet))
    assert len(dataset) == 2
    assert dataset.metainfo['classes'] == tuple(CLASSES)
    assert len(dataset.metainfo['palette']) == 11
    for sample in dataset:
        labels = sample['gt_seg_map']
        assert set(np.unique(labels)) == {0, 3, 10, 255}
        assert sample['img'].shape[:2] == labels.shape


def test_a_choice_of_classes(tmp_path: Path) -> None:
    dataset = build(write(tmp_path), metainfo=dict(classes=('Road', 'Sky')))
    labels = dataset[0]['gt_seg_map']
    assert labels[0, :4].tolist() == [1, 0, 255, 255]
    assert dataset.metainfo['palette'] == [
        list(CLASSES['Road']),
        list(CLASSES['Sky']),
    ]


def test_labels_out_of_range(tmp_path: Path) -> None:
    root = write(tmp_path, labels=(0, 12, 30))
    with pytest.raises(FolderError, match='has the labels 12, 30 beyond'):
        build(root)
    # Whoever knows better may go on.
    assert len(build(root, check=False)) == 2


def test_masks_that_are_broken(tmp_path: Path) -> None:
    root = write(tmp_path)
    mask = root / 'annotations' / 'train' / f'{NAMES[0]}.png'
    mask.write_bytes(b'no image')
    with pytest.raises(FolderError, match=f'1 of 4 files .*{NAMES[0]}.png'):
        build(root)
    assert len(build(root, unreadable='skip')) == 1


def test_real_pictures(camvid: Path) -> None:
    for split, count in dict(train=367, val=101, test=233).items():
        dataset = build(camvid, split=split)
        assert len(dataset) == count
        pairs = find_pairs(camvid, split)
        # The rule of the converter gives the splits of the archive.
        assert {split_of(pair.image.stem) for pair in pairs} == {split}
    assert dataset[0]['img'].shape == (360, 480, 3)
    assert set(np.unique(dataset[0]['gt_seg_map'])) <= {*range(11), 255}


def write_turned(root: Path, orientation: int) -> Path:
    """Write a picture that is black above, with the mask of its halves."""
    write(root)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    halves = np.repeat(np.array([0, 1], np.uint8), 3)[:, None].repeat(8, 1)
    picture = Image.fromarray(halves * 255).convert('RGB')
    picture.save(root / f'images/train/{NAMES[0]}.png', exif=exif)
    mask = Image.fromarray(halves)
    mask.save(root / f'annotations/train/{NAMES[0]}.png')
    return root


@pytest.mark.parametrize('orientation', [3, 6])
def test_pictures_and_masks_are_turned_alike(
    tmp_path: Path, orientation: int
) -> None:
    """Cameras ask to turn a picture; its mask must not stay behind."""
    root = write_turned(tmp_path, orientation)
    with pytest.raises(FolderError, match='color_ignore_orientation'):
        build(root)
    load = Config.fromfile(
        REPO / 'configs/_base_/datasets/camvid.py'
    ).train_pipeline[:2]
    for transform in load:
        transform.type = f'mmseg.{transform.type}'
    dataset = DATASETS.build(
        dict(type='CamVid', data_root=str(root), pipeline=load)
    )
    sample = dataset[0]
    assert (sample['img'][..., 0] // 255 == sample['gt_seg_map']).all()
