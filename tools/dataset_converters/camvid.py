"""Convert CamVid from its original labels, in 32 colours, to eleven classes.

    python tools/dataset_converters/camvid.py IMAGES LABELS TARGET

IMAGES is the folder of the 701 pictures, LABELS that of <name>_L.png. TARGET
gets images/<split>/ and annotations/<split>/, in the splits and the size,
480x360, that are usual since SegNet: data_root of the configs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mlfm_mm.datasets.camvid.classes import CLASSES, ORIGINAL, VOID, split_of
from mlfm_mm.datasets.folder_layout import (
    FolderError,
    new_folder,
    require_folder,
)
from mlfm_mm.datasets.images import list_images, shorten
from mlfm_mm.engine import one_sentence
from mlfm_mm.engine.arguments import make_parser

# The original labels are named 0001TP_006690_L.png.
SUFFIX = '_L'
KINDS = ('images', 'annotations')


@dataclass(frozen=True)
class Original:
    """A picture and its label in colours.

    Args:
        image (Path): The picture.
        label (Path): The label.
        split (str): ``'train'``, ``'val'`` or ``'test'``.
    """

    image: Path
    label: Path
    split: str


def find_originals(images: str | Path, labels: str | Path) -> list[Original]:
    """Match pictures and labels by their names.

    Args:
        images (str | Path): The folder of the pictures.
        labels (str | Path): The folder of the labels, ``<name>_L.png`` or
            ``<name>.png``.

    Returns:
        list[Original]: Sorted by name, with the splits of SegNet.

    Raises:
        FolderError: A folder is missing, a label has no picture or no split,
            or a picture has no label.
    """
    pictures = {path.stem: path for path in pictures_in(images)}
    found, alone, foreign = [], [], []
    for path in pictures_in(labels):
        name = path.stem.removesuffix(SUFFIX)
        if name not in pictures:
            alone.append(path.name)
            continue
        try:
            found.append(Original(pictures[name], path, split_of(name)))
        except ValueError:
            foreign.append(path.name)
    if alone:
        raise FolderError(
            f'{len(alone)} labels of {labels} have no picture in {images}, '
            f'where a file of the same name is expected: {shorten(alone)}.'
        )
    if foreign:
        raise FolderError(
            f'{len(foreign)} labels of {labels} are none of CamVid, so that '
            f'their split is unknown: {shorten(foreign)}. Names are such as '
            f'0001TP_006690{SUFFIX}.png.'
        )
    bare = sorted(set(pictures) - {original.image.stem for original in found})
    if bare:
        raise FolderError(
            f'{len(bare)} pictures of {images} have no label in {labels}, '
            f'where <name>{SUFFIX}.png is expected: {shorten(bare)}. Add the '
            'labels or delete the pictures.'
        )
    return found


def pictures_in(root: str | Path) -> list[Path]:
    """List the pictures of a folder, sorted."""
    folder = require_folder(root, 'Check the path.')
    found = list_images(folder)
    if not found:
        raise FolderError(f'{folder} holds no pictures.')
    return found


def convert(
    images: str | Path,
    labels: str | Path,
    target: str | Path,
    size: tuple[int, int] | None = (480, 360),
) -> Iterator[Original]:
    """Write ``images/<split>/`` and ``annotations/<split>/``.

    Args:
        images (str | Path): The folder of the pictures.
        labels (str | Path): The folder of the labels in colours.
        target (str | Path): The new folder.
        size (tuple[int, int], optional): Width and height to bring both to,
            or None to keep theirs. Defaults to (480, 360).

    Yields:
        Original: Each, once it has been written; the folder gets its name
        after the last.

    Raises:
        FolderError: See :func:`find_originals`, or the target is not empty,
            or a label cannot be converted.
    """
    with new_folder(target) as top:
        for original in find_originals(images, labels):
            write(original, top, size)
            yield original


def write(original: Original, top: Path, size: tuple[int, int] | None) -> None:
    """Write a picture and its mask, both in the new size."""
    mask = convert_label(original)
    name = original.image.stem
    folders = [top / kind / original.split for kind in KINDS]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    if size is None or mask.size == size:
        shutil.copy2(original.image, folders[0])
    else:
        mask = mask.resize(size, Image.Resampling.NEAREST)
        with Image.open(original.image) as image:
            small = image.convert('RGB').resize(size, Image.Resampling.LANCZOS)
        small.save(folders[0] / f'{name}.png')
    mask.save(folders[1] / f'{name}.png')


def convert_label(original: Original) -> Image.Image:
    """Read a label in colours, as labels 0 to 11, and check it."""
    with Image.open(original.image) as image:
        size = image.size
    with Image.open(original.label) as label:
        if label.size != size:
            raise FolderError(
                f'{original.label} has {label.width}x{label.height} pixels, '
                f'its picture {size[0]}x{size[1]}: take both from one version '
                'of the data set.'
            )
        colours = np.asarray(label.convert('RGB'))
    try:
        return Image.fromarray(label_colours(colours))
    except ValueError as error:
        raise FolderError(f'{original.label}: {error}') from None


def label_colours(colours: np.ndarray) -> np.ndarray:
    """Turn the 32 colours into the labels of the eleven classes and void.

    Args:
        colours (np.ndarray): Pixels (H, W, 3) of uint8.

    Returns:
        np.ndarray: Labels (H, W) of uint8.

    Raises:
        ValueError: A colour is none of the 32.

    Example:
        >>> sky, lane, void = (128, 128, 128), (128, 0, 192), (0, 0, 0)
        >>> label_colours(np.array([[sky, lane, void]], np.uint8))
        array([[ 0,  3, 11]], dtype=uint8)
    """
    codes = encode(colours)
    known, positions = np.unique(codes, return_inverse=True)
    table = {
        int(encode(np.array(colour))): VOID if name is None else order(name)
        for colour, name in ORIGINAL.values()
    }
    strange = [code for code in known.tolist() if code not in table]
    if strange:
        some = ', '.join(str(decode(code)) for code in strange[:3])
        raise ValueError(
            f'{len(strange)} colours are none of the 32 of CamVid: {some}; '
            'labels must not have been resized or saved as JPEG'
        )
    labels = np.array([table[code] for code in known.tolist()], np.uint8)
    return labels[positions].reshape(codes.shape)


def encode(colours: np.ndarray) -> np.ndarray:
    """Write each colour (..., 3) as one number."""
    return colours.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])


def decode(code: int) -> tuple[int, int, int]:
    """Write a number as its colour."""
    return code >> 16, code >> 8 & 255, code & 255


def order(name: str) -> int:
    """Get the label of a class."""
    return list(CLASSES).index(name)


def size(text: str) -> tuple[int, int] | None:
    """Read a size such as 480x360, or 'original'."""
    if text == 'original':
        return None
    width, _, height = text.partition('x')
    sides = width.isdecimal() and height.isdecimal()
    if not (sides and int(width) and int(height)):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no size such as 480x360, nor 'original'"
        )
    return int(width), int(height)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('images', help='the folder of the pictures')
    parser.add_argument('labels', help='the folder of the labels in colours')
    parser.add_argument('target', help='the new folder')
    parser.add_argument(
        '--size',
        type=size,
        default=(480, 360),
        metavar='WIDTHxHEIGHT',
        help="what to bring pictures to, or 'original' (default: 480x360)",
    )
    return parser.parse_args()


def main() -> None:
    """Convert."""
    args = parse_args()
    counts: Counter[str] = Counter()
    with one_sentence('camvid.py'):
        for original in convert(
            args.images, args.labels, args.target, args.size
        ):
            counts[original.split] += 1
    for split, count in sorted(counts.items()):
        print(f'{split}: {count} pictures')
    print(f'wrote {args.target}')


if __name__ == '__main__':
    main()
