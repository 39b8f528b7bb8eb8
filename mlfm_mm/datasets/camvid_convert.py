"""From CamVid's original labels, in 32 colours, to the eleven classes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .camvid_classes import CLASSES, ORIGINAL, VOID, split_of
from .camvid_layout import wide
from .folders import EXTENSIONS, FolderError, shorten

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
        FolderError: A folder is missing, a label has no picture or no split.
    """
    pictures = {path.stem: path for path in files(Path(images))}
    found, alone, foreign = [], [], []
    for path in files(Path(labels)):
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
    return found


def files(folder: Path) -> list[Path]:
    """List the pictures of a folder, sorted."""
    if not folder.is_dir():
        raise FolderError(f'There is no folder {str(folder)!r}.')
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in EXTENSIONS and path.name[0] != '.'
    )
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
        Original: Each, once it has been written.

    Raises:
        FolderError: See :func:`find_originals`, or a label cannot be
            converted.
    """
    top = Path(target)
    for original in find_originals(images, labels):
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
                small = image.convert('RGB').resize(
                    size, Image.Resampling.LANCZOS
                )
            small.save(folders[0] / f'{name}.png')
        mask.save(folders[1] / f'{name}.png')
        yield original


def convert_label(original: Original) -> Image.Image:
    """Read a label in colours and check it against its picture.

    Args:
        original (Original): The label and its picture.

    Returns:
        Image: The labels 0 to 11.

    Raises:
        FolderError: The sizes differ, or a colour is none of the 32.
    """
    with Image.open(original.image) as image:
        size = image.size
    with Image.open(original.label) as label:
        if label.size != size:
            raise FolderError(
                f'{original.label} has {wide(label.size)} pixels, its '
                f'picture {wide(size)}: take both from one version of the '
                'data set.'
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
