"""Where the pictures and masks of CamVid lie, and whether they are sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .camvid_classes import IGNORE, SPLITS, VOID
from .folders import EXTENSIONS, FolderError, shorten

# Decoding waits for the disk and releases the interpreter.
THREADS = 8
EXPECTED = (
    'Expected images/<split>/ with annotations/<split>/, or the layout of '
    'SegNet, <split>/ with <split>annot/, where <split> is train, val or '
    'test'
)
CONVERT = (
    'Convert the original labels in colours by python '
    'tools/dataset_converters/camvid.py IMAGES LABELS TARGET'
)
MODES = ('L', 'P', 'I', 'I;16')


@dataclass(frozen=True)
class Pair:
    """A picture and its mask.

    Args:
        image (Path): The picture.
        mask (Path): The mask, a label for each pixel.
    """

    image: Path
    mask: Path


def find_pairs(root: str | Path, split: str) -> list[Pair]:
    """Find the pictures of a split and their masks, in either layout.

    Args:
        root (str | Path): The folder of the data set.
        split (str): ``'train'``, ``'val'`` or ``'test'``.

    Returns:
        list[Pair]: Sorted by name.

    Raises:
        FolderError: There is no such folder or split, or it is empty, or a
            picture has no mask.
    """
    images, masks = find_folders(Path(root).expanduser(), split)
    pictures = sorted(
        path
        for path in images.iterdir()
        if path.suffix.lower() in EXTENSIONS and not path.name.startswith('.')
    )
    if not pictures:
        raise FolderError(
            f'{images} holds no pictures ({", ".join(EXTENSIONS)}). '
            f'{EXPECTED}.'
        )
    pairs = [Pair(path, masks / f'{path.stem}.png') for path in pictures]
    missing = [pair.mask.name for pair in pairs if not pair.mask.is_file()]
    if missing:
        raise FolderError(
            f'{len(missing)} of {len(pairs)} pictures in {images} have no '
            f'mask in {masks}, where a file of the same name is expected: '
            f'{shorten(missing)}. Add the masks or delete the pictures. '
            f'{CONVERT}.'
        )
    return pairs


def find_folders(top: Path, split: str) -> tuple[Path, Path]:
    """Find the folders of pictures and of masks.

    Args:
        top (Path): The folder of the data set.
        split (str): The split.

    Returns:
        tuple[Path, Path]: The two folders.

    Raises:
        FolderError: They are not there.
    """
    if split not in SPLITS:
        raise FolderError(f'split must be one of {SPLITS}, not {split!r}.')
    if not top.is_dir():
        raise FolderError(
            f'There is no folder {str(top)!r}: check data_root. {EXPECTED}.'
        )
    candidates = [
        (top / 'images' / split, top / 'annotations' / split),
        (top / split, top / f'{split}annot'),
    ]
    for images, masks in candidates:
        if images.is_dir() and masks.is_dir():
            return images, masks
    found = sorted(path.name for path in top.iterdir())
    raise FolderError(
        f'{top} does not hold the split {split!r} of CamVid, but '
        f'{shorten(found) or "nothing"}. {EXPECTED}. {CONVERT}.'
    )


def check_pairs(
    pairs: Iterable[Pair],
    check: Callable[[Pair], str | None] | None = None,
) -> None:
    """Look at all masks before a run, so that it cannot fail half-way.

    Args:
        pairs (Iterable[Pair]): Pictures and masks.
        check (Callable, optional): Tells the fault of a pair. Defaults to
            None, :func:`fault`.

    Raises:
        FolderError: Masks are broken; the message names some.
    """
    pairs = list(pairs)
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(check or fault, pairs))
    bad = [text for text in found if text]
    if bad:
        more = f' (and {len(bad) - 3} more)' if len(bad) > 3 else ''
        raise FolderError(
            f'{len(bad)} of {len(pairs)} masks of {pairs[0].mask.parent} '
            f'cannot be used: {"; ".join(bad[:3])}{more}. {CONVERT}.'
        )


def fault(pair: Pair) -> str | None:
    """Tell what is wrong with a mask.

    Args:
        pair (Pair): The mask and its picture.

    Returns:
        str | None: The fault and the file, or None.
    """
    try:
        with Image.open(pair.image) as image:
            size = image.size
        with Image.open(pair.mask) as mask:
            if mask.mode not in MODES:
                return (
                    f'{pair.mask.name} is a picture in colours '
                    f'({mask.mode}), not one of labels'
                )
            if mask.size != size:
                return (
                    f'{pair.mask.name} has {wide(mask.size)} pixels, its '
                    f'picture {wide(size)}'
                )
            labels = np.asarray(mask)
    except OSError as error:
        return f'{pair.mask.name} or {pair.image.name} is no image: {error}'
    return label_fault(pair.mask.name, labels)


def label_fault(name: str, labels: np.ndarray) -> str | None:
    """Tell which labels of a mask are out of range.

    Args:
        name (str): The file.
        labels (np.ndarray): Its labels.

    Returns:
        str | None: The fault, or None.

    Example:
        >>> label_fault('a.png', np.array([[0, 11, 12, 255, 30]]))
        'a.png has the labels 12, 30 beyond 0 to 11 and 255'
    """
    beyond = np.unique(labels[(labels > VOID) & (labels != IGNORE)])
    if not beyond.size:
        return None
    return (
        f'{name} has the labels {", ".join(map(str, beyond[:5]))} beyond 0 '
        f'to {VOID} and {IGNORE}'
    )


def wide(size: tuple[int, int]) -> str:
    """Write a size as width x height."""
    return f'{size[0]}x{size[1]}'
