from pathlib import Path

import pytest

from mlfm_mm.datasets import FolderError, scan_folder
from tests.tools.converters import load_converter
from tests.tools.helpers import write_image

TOOL = load_converter('tiny_imagenet')
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
    assert TOOL.arrange(source, tmp_path / 'new', 2) == 6
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
        TOOL.arrange(tmp_path / 'no', new, 2)
    with pytest.raises(FolderError, match='has 3 classes, not 9'):
        TOOL.arrange(source, new, 9)
    with pytest.raises(FolderError, match='is not Tiny ImageNet-200'):
        TOOL.arrange(source / 'train', new, 2)
    with pytest.raises(FolderError, match='not empty'):
        TOOL.arrange(source, source, 2)
    assert not new.exists()
