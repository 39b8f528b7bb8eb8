import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlfm_mm.datasets import FolderError, scan_folder
from mlfm_mm.datasets.folders import Finder
from tests.tools.helpers import write_image, write_image_folder


def names(samples: tuple[tuple[str, int], ...]) -> list[str]:
    return [str(Path(*Path(path).parts[-2:])) for path, _ in samples]


def test_split_by_us(tmp_path: Path) -> None:
    contents = scan_folder(str(write_image_folder(tmp_path)))
    assert contents.classes == ('bright', 'dark')
    assert contents.counts('train') == [8, 8]
    assert contents.counts('val') == [2, 2]
    every = names(contents.train) + names(contents.val)
    assert len(set(every)) == 20
    assert all(
        (label == 0) == ('bright' in path)
        for path, label in contents.train + contents.val
    )


def test_split_is_the_same_elsewhere(tmp_path: Path) -> None:
    here = scan_folder(str(write_image_folder(tmp_path / 'here')))
    there = scan_folder(str(write_image_folder(tmp_path / 'there')))
    assert names(here.val) == names(there.val)


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    write_image_folder(tmp_path, 3)
    odd = tmp_path / 'dark' / os.fsdecode(b'\xe9.png')
    (tmp_path / 'dark' / '0.png').rename(odd)
    contents = scan_folder(str(tmp_path))
    assert str(odd) in dict(contents.train + contents.val)


def test_train_without_val_is_split(tmp_path: Path) -> None:
    write_image_folder(tmp_path / 'train', 5)
    assert scan_folder(str(tmp_path)).counts('val') == [1, 1]


def test_limit_and_deeper_folders(tmp_path: Path) -> None:
    write_image_folder(tmp_path, 3)
    for index in range(9):
        write_image(tmp_path / 'dark' / 'more' / f'n{index}.JPG', index, 50)
    contents = scan_folder(str(tmp_path), max_per_class=5)
    assert contents.counts('train') == [2, 4]
    assert contents.counts('val') == [1, 1]


def test_unreadable_files_are_left_out(tmp_path: Path) -> None:
    write_image_folder(tmp_path, 4)
    (tmp_path / 'dark' / 'broken.png').write_text('no image')
    (tmp_path / 'dark' / 'notes.txt').write_text('no image either')
    (tmp_path / 'dark' / '._0.png').write_text('left by a system')
    (tmp_path / '.cache').mkdir()
    contents = scan_folder(str(tmp_path))
    assert contents.counts('train') == [3, 3]
    assert [Path(p).name for p in contents.unreadable] == ['broken.png']


def break_class(folder: Path) -> None:
    write_image_folder(folder, 3)
    for path in (folder / 'dark').iterdir():
        path.write_text('no image')


def one_image(folder: Path) -> None:
    write_image_folder(folder, 3)
    write_image(folder / 'lonely' / '0.png', 0, 0)


def other_classes(folder: Path) -> None:
    write_image_folder(folder / 'train', 3)
    write_image_folder(folder / 'val', 3)
    write_image(folder / 'val' / 'green' / '0.png', 0, 0)


def empty_val_class(folder: Path) -> None:
    write_image_folder(folder / 'train', 3)
    write_image_folder(folder / 'val', 3)
    for path in (folder / 'val' / 'dark').iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda folder: None, 'there is no folder'),
        (lambda folder: folder.mkdir(), 'holds no class folders'),
        (
            lambda folder: write_image(folder / 'cat' / '0.png', 0, 0),
            r'one class only \(cat\)',
        ),
        (
            break_class,
            r'fewer in dark \(0\).*; 3 files that are no images: .*dark',
        ),
        (one_image, r'needs 2 or more .* fewer in lonely \(1\)'),
        (other_classes, 'same class folders, but green is not in both'),
        (empty_val_class, r'val there are fewer in dark \(0\)'),
    ],
)
def test_mistakes(make: object, message: str, tmp_path: Path) -> None:
    make(tmp_path / 'images')
    with pytest.raises(FolderError, match=message):
        scan_folder(str(tmp_path / 'images'))


def test_limit_that_is_too_small(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match='at most 1 images'):
        scan_folder(str(write_image_folder(tmp_path)), max_per_class=1)


@pytest.mark.parametrize('part', [20, -3, 0, 1, float('nan')])
def test_parts_that_are_none(part: float, tmp_path: Path) -> None:
    with pytest.raises(
        FolderError, match=f'val_fraction={part} .* such as 0.2'
    ):
        scan_folder(str(write_image_folder(tmp_path, 2)), part)


SPLITS = [
    ('Training', 'Testing'),
    ('TRAIN', 'TEST'),
    ('Train', 'Val'),
    ('training_set', 'test_set'),
    ('train', 'dev'),
    ('trainset', 'VALIDSET'),
    ('train2017', 'val2017'),
    ('seg_train', 'seg_test'),
    ('train-images', 'Validation images'),
]


@pytest.mark.parametrize(('train', 'val'), SPLITS)
def test_usual_names_of_splits(train: str, val: str, tmp_path: Path) -> None:
    write_image_folder(tmp_path / train, 3)
    write_image_folder(tmp_path / val, 1)
    contents = scan_folder(str(tmp_path))
    assert contents.classes == ('bright', 'dark')
    assert contents.counts('train') == [3, 3]
    assert contents.counts('val') == [1, 1]
    assert all(val in path for path, _ in contents.val)
    assert contents.left_out() == []


def test_splits_within_folders_of_their_name(tmp_path: Path) -> None:
    write_image_folder(tmp_path / 'training_set' / 'training_set', 3)
    write_image_folder(tmp_path / 'test_set' / 'test_set', 1)
    contents = scan_folder(str(tmp_path))
    assert contents.counts('train') == [3, 3]
    assert contents.counts('val') == [1, 1]


def test_validation_goes_before_test(tmp_path: Path) -> None:
    for name, images in (('Test', 1), ('valid', 2), ('train', 3)):
        write_image_folder(tmp_path / name, images)
    contents = scan_folder(str(tmp_path))
    assert contents.counts('val') == [2, 2]
    assert contents.ignored == (str(tmp_path / 'Test'),)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ('bus', 'train', 'ship'):
        for index in range(2):
            write_image(tmp_path / name / f'{index}.png', index, 90)
    assert scan_folder(str(tmp_path)).classes == ('bus', 'ship', 'train')


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    write_image_folder(tmp_path / 'train', 4)
    write_image_folder(tmp_path / 'extra', 1)
    dark = tmp_path / 'train' / 'dark'
    (dark / 'empty.png').touch()
    (dark / 'text.jpg').write_text('<html>')
    (dark / 'nothing.png').symlink_to(tmp_path / 'nowhere.png')
    (dark / 'phone.heic').write_bytes(b'another format')
    (dark / 'more').symlink_to(tmp_path / 'extra')
    (dark / 'Thumbs.db').write_bytes(b'left by a system')
    write_image(tmp_path / 'loose.png', 0, 0)
    contents = scan_folder(str(tmp_path))
    names = sorted(Path(path).name for path in contents.unreadable)
    assert names == ['empty.png', 'nothing.png', 'text.jpg']
    names = sorted(Path(path).name for path in contents.ignored)
    assert names == ['extra', 'loose.png', 'more', 'phone.heic']
    first, second = contents.left_out()
    assert first.startswith('3 files that are no images: ')
    assert 'loose.png' in second


def make_sets(folder: Path, *names: str) -> None:
    for name in names:
        write_image_folder(folder / name, 1)


def splits_of_images(folder: Path) -> None:
    for name in ('train', 'test'):
        write_image(folder / name / '0.png', 0, 0)
        write_image(folder / name / '1.png', 0, 0)


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (
            lambda folder: make_sets(folder, 'color', 'grayscale'),
            r'no classes: color/ \(bright, dark\), .*Expected FOLDER/<class>'
            r'.*give that one, such as .*color',
        ),
        (
            lambda folder: make_sets(folder, 'pets'),
            r'no classes: pets/ \(bright, dark\).*such as .*images/pets',
        ),
        (
            lambda folder: make_sets(folder, 'train.X1', 'val.X'),
            'other folders, so that they are no classes: train.X1/',
        ),
        (
            lambda folder: make_sets(folder, 'train/a', 'train/b'),
            r'no classes: a/ \(bright, dark\)',
        ),
        (
            lambda folder: make_sets(folder, 'val', 'test'),
            'holds val, test, but no folder train',
        ),
        (
            lambda folder: make_sets(folder, 'train', 'Training', 'val'),
            r'one split under several names \(train, Training\)',
        ),
        (splits_of_images, 'test, train of .* hold no class folders'),
        (
            lambda folder: write_image(folder / '0.png', 0, 0),
            'no class folders, but 0.png: expected',
        ),
    ],
)
def test_layouts_that_are_none(
    make: object, message: str, tmp_path: Path
) -> None:
    make(tmp_path / 'images')
    with pytest.raises(FolderError, match=message):
        scan_folder(str(tmp_path / 'images'))


def test_no_part_is_asked_of_a_folder_that_is_split(tmp_path: Path) -> None:
    make_sets(tmp_path, 'train', 'val')
    assert scan_folder(str(tmp_path), val_fraction=0).val


def test_many_broken_files_cost_no_more_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(list):
        reads = 0

        def __iter__(self) -> Iterator[str]:
            Broken.reads += 1
            return super().__iter__()

    for number in range(50):
        (tmp_path / f'{number}.png').touch()
    monkeypatch.setattr(
        'mlfm_mm.datasets.folders.find_unreadable', lambda p: Broken(p[:20])
    )
    assert len(Finder(None, []).pick(tmp_path)) == 30
    assert Broken.reads <= 2
