"""ImageNet-100 in all layouts, real and invented, whole and damaged."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip('mmpretrain')

from mlfm_mm.datasets import FolderError, ImageNet100
from mlfm_mm.datasets.imagenet100.classes import CLASSES
from tests.datasets.imagenet100.trees import (
    WNIDS,
    make_class,
    make_image,
    write_imagenet_1k,
    write_kaggle,
)

LOAD = [dict(type='mmpretrain.LoadImageFromFile')]


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    return write_kaggle(tmp_path / 'kaggle')


@pytest.fixture
def imagenet_1k(tmp_path: Path) -> Path:
    return write_imagenet_1k(tmp_path / 'imagenet')


def test_kaggle_layout(kaggle: Path) -> None:
    train = ImageNet100(str(kaggle))
    assert (len(train), len(ImageNet100(str(kaggle), 'val'))) == (200, 100)
    assert tuple(CLASSES.values()) == train.CLASSES
    for i in (0, 99, 199):
        info = train.get_data_info(i)
        assert WNIDS[info['gt_label']] == Path(info['img_path']).parent.name
        assert info['gt_label'] == i // 2
    assert 'Split: \ttrain' in repr(train)


def test_imagenet_1k_gives_its_100_classes(imagenet_1k: Path) -> None:
    dataset = ImageNet100(str(imagenet_1k))
    assert list(dataset.get_gt_labels()) == list(range(100))


def test_flat_validation_images(imagenet_1k: Path) -> None:
    # The way the images of ImageNet-1k are unpacked, with each of two lists.
    ranks = sorted(p.name for p in (imagenet_1k / 'train').iterdir())
    rows = [('ILSVRC2012_val_1', WNIDS[0]), ('ILSVRC2012_val_2', ranks[-1])]
    rows += [(f'ILSVRC2012_val_{i + 3}', w) for i, w in enumerate(WNIDS[1:])]
    shutil.rmtree(imagenet_1k / 'val')
    for name, _ in rows:
        make_image(imagenet_1k / 'val' / f'{name}.JPEG')
    with pytest.raises(FolderError, match='LOC_val_solution'):
        ImageNet100(str(imagenet_1k), 'val')
    (imagenet_1k / 'meta').mkdir()
    text = ''.join(f'{n}.JPEG {ranks.index(w)}\n' for n, w in rows)
    (imagenet_1k / 'meta/val.txt').write_text(text)
    labels = list(ImageNet100(str(imagenet_1k), 'val').get_gt_labels())
    assert labels == list(range(100))
    shutil.rmtree(imagenet_1k / 'meta')
    text = ''.join(f'{n},{w} 1 2 3 4 \n' for n, w in rows)
    solution = imagenet_1k / 'LOC_val_solution.csv'
    solution.write_text(f'ImageId,PredictionString\n{text}')
    labels = list(ImageNet100(str(imagenet_1k), 'val').get_gt_labels())
    assert labels == list(range(100))


def test_meta_needs_all_classes(kaggle: Path) -> None:
    shutil.rmtree(kaggle / 'val.X')
    make_image(kaggle / 'val/a.JPEG')
    (kaggle / 'meta').mkdir()
    (kaggle / 'meta/val.txt').write_text('a.JPEG 0\n')
    (kaggle / 'train').mkdir()
    with pytest.raises(FolderError, match='has 0 class folders'):
        ImageNet100(str(kaggle), 'val')


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
        ImageNet100(str(kaggle), 'val')
    if kind != 'broken labels':
        assert 'kaggle datasets download' in str(raised.value)
        assert f'imagenet100.py check {kaggle}' in str(raised.value)


def test_options_that_do_not_exist(kaggle: Path) -> None:
    with pytest.raises(ValueError, match="not 'test'"):
        ImageNet100(str(kaggle), 'test')
    with pytest.raises(ValueError, match="not 'crash'"):
        ImageNet100(str(kaggle), unreadable='crash')


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged."""
    lines: list[str] = []
    monkeypatch.setattr(
        'mlfm_mm.datasets.unreadable.print_log',
        lambda message, **options: lines.append(message),
    )
    return lines


def test_unreadable_images_are_skipped(kaggle: Path, log: list[str]) -> None:
    broken = kaggle / 'train.X1' / WNIDS[0] / f'{WNIDS[0]}_1.JPEG'
    broken.write_bytes(b'<html>Not Found</html>')
    train = ImageNet100(str(kaggle), pipeline=LOAD)
    assert len(train) == 200
    for _ in range(3):
        assert train[1]['img'].shape == (4, 4, 3)
    assert log == [f'{broken} cannot be decoded and is replaced.']

    log.clear()
    empty = kaggle / 'val.X' / WNIDS[3] / f'{WNIDS[3]}_0.JPEG'
    empty.write_bytes(b'')
    make_class(empty.parent, 2)
    empty.write_bytes(b'')
    assert len(ImageNet100(str(kaggle), 'val')) == 100
    assert log == [f'{empty} is no image and is left out.']


def test_an_image_that_breaks_during_a_run(
    kaggle: Path, log: list[str]
) -> None:
    val = ImageNet100(str(kaggle), 'val', pipeline=LOAD)
    Path(val.get_data_info(99)['img_path']).unlink()
    assert val[99]['gt_label'] == 0
    assert len(log) == 1 and 'is replaced' in log[0]


def test_unreadable_images_are_refused(kaggle: Path) -> None:
    options = dict(data_root=str(kaggle), unreadable='refuse', pipeline=LOAD)
    train = ImageNet100(**options)
    broken = kaggle / 'train.X1' / WNIDS[0] / f'{WNIDS[0]}_1.JPEG'
    broken.write_bytes(b'')
    with pytest.raises(FolderError, match=f'{broken} cannot be decoded'):
        train[1]
    with pytest.raises(FolderError, match=f'1 of 200 files .*: {broken}'):
        ImageNet100(**options)


def test_faults_of_the_pipeline_are_not_the_images(kaggle: Path) -> None:
    def fail(results: dict) -> dict:
        raise RuntimeError('ours')

    dataset = ImageNet100(str(kaggle), pipeline=[*LOAD, fail])
    with pytest.raises(RuntimeError, match='ours'):
        dataset[0]


def test_real_photographs(imagenet100_samples: Path) -> None:
    dataset = ImageNet100(str(imagenet100_samples), 'val', pipeline=LOAD)
    assert len(dataset) == 100
    name = Path(dataset.get_data_info(17)['img_path']).stem
    described = dataset.CLASSES[17].split(',')[0].replace(' ', '_')
    assert described.lower() in name.lower()
    assert dataset[17]['img'].ndim == 3
