"""Arrange Tiny ImageNet-200 as train/<wnid>/ and val/<wnid>/.

    python tools/dataset_converters/tiny_imagenet.py SOURCE TARGET

SOURCE is the folder tiny-imagenet-200 as it is unpacked. TARGET gets copies of
the images of the first 100 classes, in the order of their synsets: data_root
of the configs *_tiny100.py.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmengine.utils import track_iter_progress

from mlfm_mm.datasets.folder_layout import (
    FolderError,
    new_folder,
    require_folder,
    subfolders,
)
from mlfm_mm.datasets.images import list_images, shorten
from mlfm_mm.engine import one_sentence
from mlfm_mm.engine.arguments import make_parser, positive

FETCH = (
    'To fetch it: http://cs231n.stanford.edu/tiny-imagenet-200.zip, to be '
    'unpacked'
)


def find_images(source: str | Path, count: int) -> dict[Path, list[Path]]:
    """Find the images of the first classes.

    Args:
        source (str | Path): The folder as it is unpacked.
        count (int): How many classes.

    Returns:
        dict[Path, list[Path]]: Images by the folder that they go to, such as
        ``train/n01443537``.

    Raises:
        FolderError: It is not the folder of Tiny ImageNet-200, or an image
            is missing.
    """
    top = require_folder(source, FETCH)
    notes = top / 'val' / 'val_annotations.txt'
    if not (top / 'train').is_dir() or not notes.is_file():
        raise FolderError(
            f'{top} is not Tiny ImageNet-200, which holds train/<wnid>/images '
            f'and val/val_annotations.txt. {FETCH}'
        )
    folders = subfolders(top / 'train')
    if len(folders) < count:
        raise FolderError(
            f'{top / "train"} has {len(folders)} classes, not {count}. {FETCH}'
        )
    folders = folders[:count]
    check_first(top, folders)
    found = {Path('train', f.name): list_whole(f) for f in folders}
    found.update({Path('val', f.name): [] for f in folders})
    for name, wnid in read_notes(notes):
        found.get(Path('val', wnid), []).append(top / 'val' / 'images' / name)
    # Those of training come from a list of the files that are there.
    noted = [path for images in found.values() for path in images]
    missing = [path.name for path in noted if not path.is_file()]
    if missing:
        raise FolderError(
            f'{top / "val" / "images"} lacks {shorten(missing)}, which '
            f'{notes.name} names: unpack it anew. {FETCH}'
        )
    return found


def check_first(top: Path, folders: list[Path]) -> None:
    """Refuse other classes than the first of all, as by a broken unzip."""
    listed = top / 'wnids.txt'
    if not listed.is_file():
        return
    wnids = sorted(listed.read_text().split())[: len(folders)]
    if absent := sorted(set(wnids) - {folder.name for folder in folders}):
        raise FolderError(
            f'{top / "train"} lacks {shorten(absent)}, which {listed.name} '
            f'names: unpack it anew. {FETCH}'
        )


def list_whole(folder: Path) -> list[Path]:
    """List the images of a class; refuse a part of them.

    Its list of boxes has a line for each.
    """
    images = list_images(require_folder(folder / 'images', FETCH))
    boxes = folder / f'{folder.name}_boxes.txt'
    lines = boxes.read_text().splitlines() if boxes.is_file() else []
    if len(images) < max(1, len(lines)):
        raise FolderError(
            f'{folder / "images"} holds {len(images)} images, not '
            f'{max(1, len(lines))}: unpack it anew. {FETCH}'
        )
    return images


def read_notes(path: Path) -> Iterator[tuple[str, str]]:
    """Read the names of the validation images and their synsets."""
    lines = path.read_text(encoding='utf-8').splitlines()
    for line in filter(str.strip, lines):
        name, tab, rest = line.partition('\t')
        if not tab:
            raise FolderError(
                f'{path} has a line {line!r} without a synset: unpack it '
                f'anew. {FETCH}'
            )
        yield name, rest.partition('\t')[0]


def arrange(source: str | Path, target: str | Path, count: int) -> int:
    """Copy the images.

    Args:
        source (str | Path): The folder as it is unpacked.
        target (str | Path): The folder to make; nothing is overwritten.
        count (int): How many classes.

    Returns:
        int: The number of images.

    Raises:
        FolderError: See :func:`find_images`, or the target is not empty.
    """
    with new_folder(target) as base:
        found = find_images(source, count)
        for folder, images in track_iter_progress(list(found.items())):
            (base / folder).mkdir(parents=True)
            for path in images:
                shutil.copy2(path, base / folder)
    return sum(map(len, found.values()))


def main() -> None:
    """Arrange."""
    parser = make_parser(__doc__)
    parser.add_argument('source', help='the folder tiny-imagenet-200')
    parser.add_argument('target', help='the new folder')
    parser.add_argument(
        '--classes', type=positive, default=100, help='how many (default: 100)'
    )
    args = parser.parse_args()
    with one_sentence('tiny_imagenet.py'):
        count = arrange(args.source, args.target, args.classes)
    print(f'\ncopied {count} images to {args.target}')


if __name__ == '__main__':
    main()
