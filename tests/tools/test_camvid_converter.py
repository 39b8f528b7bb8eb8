from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import camvid as tool
from mlfm_mm.datasets import FolderError
from mlfm_mm.datasets.camvid.classes import CLASSES, ORIGINAL
from mlfm_mm.datasets.camvid.layout import find_pairs
from mlfm_mm.datasets.camvid.masks import Look, look_at

Convert = Callable[..., str]
NAMES = ('0001TP_006690', '0016E5_07959', 'Seq05VD_f00000')
SPLITS = ('train', 'val', 'test')


def write(root: Path, size: tuple[int, int] = (32, 2)) -> tuple[Path, Path]:
    """Write pictures, and labels with a column of each colour."""
    images, labels = root / 'raw', root / 'labels'
    images.mkdir()
    labels.mkdir()
    colours = np.array([colour for colour, _ in ORIGINAL.values()], np.uint8)
    stripes = np.broadcast_to(colours, (2, 32, 3))
    for name in NAMES:
        Image.new('RGB', size, (9, 9, 9)).save(images / f'{name}.png')
        Image.fromarray(np.ascontiguousarray(stripes)).save(
            labels / f'{name}_L.png'
        )
    return images, labels


@pytest.fixture
def convert(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Convert:
    """Function that calls the program in this process; what it printed."""

    def call(*args: object, fails: bool = False) -> str:
        monkeypatch.setattr('sys.argv', ['camvid.py', *map(str, args)])
        if not fails:
            tool.main()
            return capsys.readouterr().out
        with pytest.raises(SystemExit) as stop:
            tool.main()
        return str(stop.value.code)

    return call


def test_all_colours(convert: Convert, tmp_path: Path) -> None:
    images, labels = write(tmp_path)
    target = tmp_path / 'new'
    printed = convert(images, labels, target, '--size', 'original')
    assert 'val: 1 pictures' in printed
    names = list(CLASSES)
    expected = [
        11 if name is None else names.index(name)
        for _, name in ORIGINAL.values()
    ]
    for split, name in zip(SPLITS, NAMES, strict=True):
        (pair,) = find_pairs(target, split)
        assert look_at(pair) == Look()
        assert pair.image.stem == name
        assert np.asarray(Image.open(pair.mask)).tolist() == [expected] * 2
    assert set(expected) == set(range(12))


def test_sizes(convert: Convert, tmp_path: Path) -> None:
    images, labels = write(tmp_path)
    convert(images, labels, tmp_path / 'new', '--size', '16x8')
    (pair,) = find_pairs(tmp_path / 'new', 'val')
    assert Image.open(pair.image).size == Image.open(pair.mask).size
    # Labels are chosen, not mixed.
    assert set(np.unique(np.asarray(Image.open(pair.mask)))) <= set(range(12))
    for text in ('0x9', '9x0', '9', '9x'):
        with pytest.raises(ArgumentTypeError, match='no size such as 480x360'):
            tool.size(text)


def test_a_colour_that_is_none() -> None:
    colours = np.full((2, 2, 3), (1, 2, 3), np.uint8)
    with pytest.raises(ValueError, match=r'1 colours .*\(1, 2, 3\)'):
        tool.label_colours(colours)


def test_mistakes_get_one_line(convert: Convert, tmp_path: Path) -> None:
    images, labels = write(tmp_path, size=(16, 2))
    target = tmp_path / 'new'
    printed = convert(images, labels, target, fails=True)
    assert printed.startswith('camvid.py: ') and '\n' not in printed
    assert 'has 32x2 pixels, its picture 16x2' in printed
    (labels / 'holiday_L.png').write_bytes(b'')
    printed = convert(images, labels, target, fails=True)
    assert '1 labels' in printed and 'holiday_L.png' in printed
    (images / 'holiday.png').write_bytes(b'')
    printed = convert(images, labels, target, fails=True)
    assert 'their split is unknown: holiday_L.png' in printed
    printed = convert(images, 'no', target, fails=True)
    assert "There is no folder 'no'" in printed


def test_a_folder_of_nothing(tmp_path: Path) -> None:
    images, labels = write(tmp_path)
    for path in labels.iterdir():
        path.unlink()
    with pytest.raises(FolderError, match='holds no pictures'):
        tool.find_originals(images, labels)


def test_pictures_without_labels(tmp_path: Path) -> None:
    images, labels = write(tmp_path)
    for name in NAMES[1:]:
        (labels / f'{name}_L.png').unlink()
    with pytest.raises(
        FolderError, match=rf'2 pictures of .*raw have no label .*{NAMES[1]}'
    ):
        tool.find_originals(images, labels)


def test_half_a_set_does_not_stay(tmp_path: Path) -> None:
    images, labels = write(tmp_path)
    Image.new('RGB', (32, 2), (1, 2, 3)).save(labels / f'{NAMES[1]}_L.png')
    target = tmp_path / 'new'
    for _ in range(2):
        with pytest.raises(FolderError, match='none of the 32 of CamVid'):
            list(tool.convert(images, labels, target))
        assert not target.exists()
    target.mkdir()
    (target / 'notes.txt').touch()
    with pytest.raises(FolderError, match='new exists and is not empty'):
        list(tool.convert(images, labels, target))
