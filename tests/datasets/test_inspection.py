from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from mlfm_mm.datasets.inspection import (
    Seen,
    judge,
    look_at,
    map_labels,
)
from tests.tools.helpers import write_image


def item(path: Path, **info: object) -> dict:
    return dict(img_path=str(path), **info)


def test_files_that_are_no_images(tmp_path: Path) -> None:
    whole, torn, empty = (tmp_path / f'{n}.jpg' for n in ('a', 'b', 'c'))
    write_image(whole, 0, 90)
    torn.write_bytes(whole.read_bytes()[:-200])
    empty.touch()
    seen = [look_at(item(p)) for p in (whole, torn, empty, tmp_path / 'no')]
    assert [s.fault for s in seen] == ['', 'unreadable', 'empty', 'unreadable']
    assert seen[0].size == (40, 40)
    assert list(judge(dict(train=seen))) == [
        ('unreadable', 'train', str(torn)),
        ('empty', 'train', str(empty)),
        ('unreadable', 'train', str(tmp_path / 'no')),
    ]


def test_what_a_storage_backend_holds(storage: Path) -> None:
    write_image(storage / 'a.png', 0, 90)
    Image.new('L', (40, 40), 3).save(storage / 'mask.png')
    info = dict(img_path='store://a.png', seg_map_path='store://mask.png')
    seen = look_at(info)
    assert (seen.fault, seen.mask_fault) == ('', '')
    assert seen.digest == look_at(item(storage / 'a.png')).digest
    assert (seen.size, seen.labels) == ((40, 40), (3,))
    assert look_at(dict(img_path='store://b.png')).fault == 'unreadable'


def test_the_same_pixels_under_other_names(tmp_path: Path) -> None:
    write_image(tmp_path / 'a.png', 0, 90)
    write_image(tmp_path / 'b.png', 1, 90)
    Image.open(tmp_path / 'a.png').save(tmp_path / 'copy.bmp')
    splits = {
        split: [look_at(item(tmp_path / name)) for name in names]
        for split, names in dict(
            train=['a.png'], val=['b.png', 'copy.bmp']
        ).items()
    }
    one, other = (tmp_path / name for name in ('copy.bmp', 'a.png'))
    (found,) = judge(splits)
    assert found == ('duplicate', 'val', f'{one} = {other} (train)')


def test_extreme_sizes() -> None:
    sizes = [(500, 375)] * 5 + [(375, 500), (40, 30), (5000, 375), (2, 375)]
    seen = [Seen(str(i), size=size) for i, size in enumerate(sizes)]
    found = list(judge(dict(train=seen)))
    assert [text.split(':')[0] for *_, text in found] == ['6', '7', '8']
    assert found[0] == ('extreme size', 'train', '6: 40x30 pixels')


def test_labels() -> None:
    labels = [(0,), (1,), (-1,), (3, 1)]
    seen = [Seen(str(i), size=(9, 9), labels=n) for i, n in enumerate(labels)]
    found = judge(dict(train=seen), ('cat', 'dog', 'hen'))
    assert list(found) == [
        ('label', 'train', '2: -1, not within 0 to 2'),
        ('label', 'train', '3: 3, not within 0 to 2'),
        ('label', 'train', 'no image has the label 2 (hen)'),
    ]
    assert not list(judge(dict(train=seen)))


def test_boxes(tmp_path: Path) -> None:
    """As mmdet's data sets give them, with a mask that is none."""
    write_image(tmp_path / 'a.png', 0, 90)
    boxes = [dict(bbox_label=0), dict(bbox_label=2)]
    info = item(tmp_path / 'a.png', seg_map_path=None, instances=boxes)
    seen = look_at(info)
    assert (seen.labels, seen.has_mask, seen.mask_fault) == ((0, 2), False, '')


def test_a_split_without_labels() -> None:
    seen = [Seen(str(i), size=(9, 9)) for i in range(3)]
    names = ('cat', 'dog')
    assert not list(judge(dict(test=seen), names))
    # Masks that label nothing are no reason to be silent.
    seen = [Seen('0', size=(9, 9), mask_fault='is empty', has_mask=True)]
    kinds = [kind for kind, *_ in judge(dict(test=seen), names)]
    assert kinds == ['mask', 'label', 'label']


def test_images_in_memory() -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    seen = look_at(dict(img=pixels, gt_label=2, sample_idx=7))
    assert seen.name == '7' and seen.size == (6, 4) and seen.labels == (2,)


@pytest.mark.parametrize(
    ('mask', 'fault'),
    [
        (np.full((40, 40), 3, np.uint8), ''),
        (np.full((20, 30), 3, np.uint8), 'has 30x20 pixels, not 40x40'),
        (np.full((40, 40), 255, np.uint8), 'labels nothing'),
        (np.zeros((40, 40, 3), np.uint8), 'is a picture in colours'),
        (None, 'cannot be read'),
    ],
)
def test_masks(tmp_path: Path, mask: np.ndarray | None, fault: str) -> None:
    write_image(tmp_path / 'a.png', 0, 90)
    path = tmp_path / 'mask.png'
    if mask is not None:
        Image.fromarray(mask).save(path)
    seen = look_at(item(tmp_path / 'a.png', seg_map_path=str(path)))
    assert seen.mask_fault.endswith(fault) and bool(seen.mask_fault) == (
        fault != ''
    )
    assert seen.labels == (() if fault else (3,))


def test_pictures_to_be_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new('RGB', (6, 4)).save(tmp_path / 'a.jpg', exif=exif)
    Image.new('L', (6, 4)).save(tmp_path / 'm.png')
    seen = look_at(
        item(tmp_path / 'a.jpg', seg_map_path=str(tmp_path / 'm.png'))
    )
    assert seen.turned and seen.size == (6, 4) and not seen.mask_fault
    assert not list(judge(dict(train=[seen])))
    ((kind, _, text),) = judge(dict(train=[seen]), turns=True)
    assert kind == 'mask' and 'a.jpg: is turned by its EXIF data' in text
    # Photographs without masks may be turned as they like.
    seen = look_at(item(tmp_path / 'a.jpg', gt_label=0))
    assert seen.turned
    assert not list(judge(dict(train=[seen]), turns=True))


def test_labels_change_as_mmseg_changes_them(tmp_path: Path) -> None:
    transforms = pytest.importorskip('mmseg.datasets.transforms')
    values = np.array([[0, 1, 2, 3, 4, 150, 255]], np.uint8)
    Image.fromarray(values).save(tmp_path / 'm.png')
    # Three of the classes of ADE20K, whose label 0 is ignored.
    chosen = {1: 0, 2: 1, 0: 2, 3: 255, 149: 255}
    info = dict(reduce_zero_label=True, label_map=chosen)
    load = transforms.LoadAnnotations()
    path = str(tmp_path / 'm.png')
    seen = load(dict(info, seg_map_path=path, seg_fields=[]))
    expected = set(seen['gt_seg_map'].ravel().tolist()) - {255}
    found = map_labels(np.unique(values), info)
    assert set(found) == expected == {0, 1, 2}
