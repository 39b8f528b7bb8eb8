import shutil
from pathlib import Path

import pytest

import tiny_imagenet as tool
from mlfm_mm.datasets import FolderError, scan_folder
from tests.tools.helpers import write_image

WNIDS = ('n01', 'n02', 'n03')


def write(root: Path) -> Path:
    """Write the archive's layout: 3 classes, 2 and 1 images of each."""
    lines = []
    for i, wnid in enumerate(WNIDS):
        for k in range(2):
            path = root / 'train' / wnid / 'images' / f'{wnid}_{k}.JPEG'
            write_image(path, k, 9 * i)
        (root / 'train' / wnid / f'{wnid}_boxes.txt').write_text('')
        write_image(root / 'val/images' / f'val_{i}.JPEG', i, 9 * i)
        lines.append(f'val_{i}.JPEG\t{wnid}\t0\t0\t9\t9')
    (root / 'val/val_annotations.txt').write_text('\n'.join(lines))
    return root


def test_arranges_the_first_classes(tmp_path: Path) -> None:
    source = write(tmp_path / 'tiny-imagenet-200')
    with pytest.raises(FolderError, match='without images of their own'):
        scan_folder(str(source))
    assert tool.arrange(source, tmp_path / 'new', 2) == 6
    contents = scan_folder(str(tmp_path / 'new'))
    assert contents.classes == ('n01', 'n02')
    assert contents.counts('train') == [2, 2]
    assert [Path(p).name for p, _ in contents.val] == [
        'val_0.JPEG',
        'val_1.JPEG',
    ]


def test_mistakes(tmp_path: Path) -> None:
    source = write(tmp_path / 'tiny-imagenet-200')
    new = tmp_path / 'new'
    with pytest.raises(FolderError, match=r'no folder .*cs231n'):
        tool.arrange(tmp_path / 'no', new, 2)
    with pytest.raises(FolderError, match='has 3 classes, not 9'):
        tool.arrange(source, new, 9)
    with pytest.raises(FolderError, match='is not Tiny ImageNet-200'):
        tool.arrange(source / 'train', new, 2)
    with pytest.raises(FolderError, match='not empty'):
        tool.arrange(source, source, 2)
    assert not new.exists()


def test_blank_lines_of_the_notes(tmp_path: Path) -> None:
    source = write(tmp_path / 'tiny-imagenet-200')
    notes = source / 'val' / 'val_annotations.txt'
    notes.write_text(f'\n{notes.read_text()}\n  \n\n')
    assert tool.arrange(source, tmp_path / 'new', 3) == 9


def test_nothing_is_copied_where_an_image_lacks(tmp_path: Path) -> None:
    source = write(tmp_path / 'tiny-imagenet-200')
    (source / 'val' / 'images' / 'val_1.JPEG').unlink()
    with pytest.raises(
        FolderError, match=r'images lacks val_1\.JPEG, which val_annotations'
    ):
        tool.arrange(source, tmp_path / 'new', 2)
    assert not (tmp_path / 'new').exists()
    # That of a class that is not taken.
    assert tool.arrange(source, tmp_path / 'new', 1) == 3


def test_a_torn_archive(tmp_path: Path) -> None:
    source = write(tmp_path / 'tiny-imagenet-200')
    notes = source / 'val' / 'val_annotations.txt'
    notes.write_text(notes.read_text() + '\nval_3.JPE')
    with pytest.raises(FolderError, match=r"line 'val_3\.JPE' without a syn"):
        tool.arrange(source, tmp_path / 'new', 2)
    write(source)
    (source / 'train/n02/images').rename(source / 'train/n02/pictures')
    with pytest.raises(FolderError, match=r"no folder .*n02/images'.*cs231n"):
        tool.arrange(source, tmp_path / 'new', 2)


def test_half_a_set_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path / 'tiny-imagenet-200')
    copies = iter(range(3))
    monkeypatch.setattr(
        'shutil.copy2', lambda path, to: (to / f'{next(copies)}').touch()
    )
    with pytest.raises(StopIteration):
        tool.arrange(source, tmp_path / 'new', 3)
    assert [*tmp_path.iterdir()] == [source]


@pytest.mark.parametrize('count', ['0', '-3'])
def test_the_number_of_classes(
    count: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr('sys.argv', ['x', 'from', 'to', '--classes', count])
    with pytest.raises(SystemExit):
        tool.main()
    assert f'{count} must be 1 or more' in capsys.readouterr().err


def test_a_part_of_the_archive(tmp_path: Path) -> None:
    source = write(tmp_path / 'tiny-imagenet-200')
    new = tmp_path / 'new'
    boxes = source / 'train/n02/n02_boxes.txt'
    boxes.write_text('n02_0.JPEG\t0\t0\t9\t9\nn02_1.JPEG\t0\t0\t9\t9\n')
    (source / 'train/n02/images/n02_1.JPEG').unlink()
    with pytest.raises(FolderError, match='holds 1 images, not 2'):
        tool.arrange(source, new, 2)
    shutil.rmtree(source / 'train/n02')
    (source / 'wnids.txt').write_text('\n'.join(WNIDS))
    # Else n03 would be the second class.
    with pytest.raises(FolderError, match='lacks n02, which wnids'):
        tool.arrange(source, new, 2)
    assert not new.exists()
