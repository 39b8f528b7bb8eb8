import shutil
from pathlib import Path

import pytest

from mlfm_mm.datasets import FolderError
from mlfm_mm.datasets.imagenet100.layout import Split, find_split
from tests.datasets.imagenet100.trees import (
    WNIDS,
    make_class,
    make_image,
    write_imagenet_1k,
    write_kaggle,
)


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    return write_kaggle(tmp_path / 'kaggle')


@pytest.fixture
def imagenet_1k(tmp_path: Path) -> Path:
    return write_imagenet_1k(tmp_path / 'imagenet')


def labels_of(split: Split) -> list[int]:
    return [label for _, label in split.samples()]


def test_imagenet_1k_gives_its_100_classes(imagenet_1k: Path) -> None:
    split = find_split(imagenet_1k, 'train')
    assert split.layout == 'imagenet-1k' and labels_of(split) == [*range(100)]


def test_archives_beside_their_folders(kaggle: Path) -> None:
    (kaggle / 'train.X1.zip').touch()
    assert find_split(kaggle, 'train').layout == 'kaggle'


def test_flat_validation_images(imagenet_1k: Path) -> None:
    # The way the images of ImageNet-1k are unpacked, with each of two lists.
    ranks = sorted(p.name for p in (imagenet_1k / 'train').iterdir())
    rows = [('ILSVRC2012_val_1', WNIDS[0]), ('ILSVRC2012_val_2', ranks[-1])]
    rows += [(f'ILSVRC2012_val_{i + 3}', w) for i, w in enumerate(WNIDS[1:])]
    shutil.rmtree(imagenet_1k / 'val')
    for name, _ in rows:
        make_image(imagenet_1k / 'val' / f'{name}.JPEG')
    with pytest.raises(FolderError, match='LOC_val_solution'):
        find_split(imagenet_1k, 'val')
    (imagenet_1k / 'meta').mkdir()
    text = ''.join(f'{n}.JPEG {ranks.index(w)}\n' for n, w in rows)
    (imagenet_1k / 'meta/val.txt').write_text(text)
    assert labels_of(find_split(imagenet_1k, 'val')) == [*range(100)]
    shutil.rmtree(imagenet_1k / 'meta')
    text = ''.join(f'{n},{w} 1 2 3 4 \n' for n, w in rows)
    solution = imagenet_1k / 'LOC_val_solution.csv'
    solution.write_text(f'ImageId,PredictionString\n{text}')
    assert labels_of(find_split(imagenet_1k, 'val')) == [*range(100)]


def test_meta_needs_all_classes(kaggle: Path) -> None:
    shutil.rmtree(kaggle / 'val.X')
    make_image(kaggle / 'val/a.JPEG')
    (kaggle / 'meta').mkdir()
    (kaggle / 'meta/val.txt').write_text('a.JPEG 0\n')
    (kaggle / 'train').mkdir()
    with pytest.raises(FolderError, match='has 0 class folders'):
        find_split(kaggle, 'val')


def damage(root: Path, kind: str) -> None:
    if kind == 'no folder':
        shutil.rmtree(root)
    elif kind == 'nothing of it':
        shutil.rmtree(root / 'val.X')
    elif kind == 'absent class':
        shutil.rmtree(root / 'val.X' / WNIDS[7])
    elif kind == 'empty class':
        (root / 'val.X' / WNIDS[7] / f'{WNIDS[7]}_0.JPEG').unlink()
    elif kind == 'one class more':
        make_class(root / 'val.X' / 'n99999999')
    elif kind == 'a class twice':
        make_class(root / 'val.X2' / WNIDS[7])
    elif kind == 'another 100':
        for wnid in WNIDS[50:]:
            place = root / 'val.X' / wnid
            place.rename(place.with_name(f'n9{wnid[2:]}'))
    elif kind == 'other labels':
        (root / 'Labels.json').write_text('{"n00000000": "none"}')
    elif kind == 'broken labels':
        (root / 'Labels.json').write_text('{')


@pytest.mark.parametrize(
    ('kind', 'told'),
    [
        ('no folder', 'There is no folder'),
        ('nothing of it', "no 'val' split. Expected one of: .* Found: Labels"),
        ('absent class', rf'99 class folders; .* Absent \(1\): {WNIDS[7]}'),
        ('empty class', f'no images of 1 of the 100 classes: .*{WNIDS[7]}'),
        ('one class more', r'101 class folders; .* \(1\): n99999999'),
        ('a class twice', rf'X/{WNIDS[7]} and .*X2/{WNIDS[7]} are the same'),
        ('another 100', r'Absent \(50\): .* several choices of 100 classes'),
        ('other labels', 'lists 1 classes, which are not the 100'),
        ('broken labels', 'is no JSON file'),
    ],
)
def test_one_message_says_what_is_wrong(
    kind: str, told: str, kaggle: Path
) -> None:
    damage(kaggle, kind)
    with pytest.raises(FolderError, match=told) as raised:
        find_split(kaggle, 'val')
    if kind != 'broken labels':
        assert 'kaggle datasets download' in str(raised.value)
        assert f'imagenet100.py check {kaggle}' in str(raised.value)
