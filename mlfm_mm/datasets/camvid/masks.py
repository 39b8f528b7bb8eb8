"""Check that masks are sound and fit their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image

from ..folder_layout import FolderError
from ..images import THREADS, shorten
from .classes import IGNORE, VOID
from .layout import REMEDY, Pair

MODES = ('L', 'P', 'I', 'I;16')


@dataclass(frozen=True)
class Look:
    """What was seen of a picture and its mask.

    Args:
        fault (str): What is wrong with the mask. Defaults to ``''``.
        unreadable (str): The file that is no image. Defaults to ``''``.
        turned (bool): Whether the picture's EXIF data ask to rotate it.
            Defaults to False.
    """

    fault: str = ''
    unreadable: str = ''
    turned: bool = False


def look_at_all(pairs: Sequence[Pair]) -> list[Look]:
    """Check all masks before a run, so that it cannot fail half-way.

    Args:
        pairs (Sequence[Pair]): Pictures and masks.

    Returns:
        list[Look]: One for each pair.

    Raises:
        FolderError: Masks are wrong; the message names some.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        looks = list(pool.map(look_at, pairs))
    bad = [look.fault for look in looks if look.fault]
    if bad:
        raise FolderError(
            f'{len(bad)} of {len(pairs)} masks of {pairs[0].mask.parent} '
            f'cannot be used: {shorten(bad, comma="; ")}. {REMEDY}'
        )
    return looks


def look_at(pair: Pair) -> Look:
    """Check a mask, and read the header of its picture."""
    path = pair.image
    try:
        with Image.open(path) as image:
            size = image.size
            turn = image.getexif().get(ExifTags.Base.Orientation, 1)
        path = pair.mask
        with Image.open(path) as mask:
            fault = shape_fault(mask, pair.mask.name, size)
            fault = fault or label_fault(pair.mask.name, np.asarray(mask))
    except Exception:  # broken files raise errors of every kind
        return Look(unreadable=str(path))
    return Look(fault=fault, turned=turn != 1)


def shape_fault(mask: Image.Image, name: str, size: tuple[int, int]) -> str:
    """Describe a mask without labels, or of another size than its picture."""
    if mask.mode not in MODES:
        return f'{name} is a picture in colours ({mask.mode}), not of labels'
    if mask.size != size:
        return (
            f'{name} has {mask.width}x{mask.height} pixels, its picture '
            f'{size[0]}x{size[1]}'
        )
    return ''


def label_fault(name: str, labels: np.ndarray) -> str:
    """Describe the labels of a mask that are out of range.

    Args:
        name (str): The file.
        labels (np.ndarray): Its labels.

    Returns:
        str: The fault, or ``''``.

    Example:
        >>> label_fault('a.png', np.array([[0, 11, 12, 255, 30]]))
        'a.png has the labels 12, 30 beyond 0 to 11 and 255'
    """
    beyond = np.unique(labels[(labels > VOID) & (labels != IGNORE)])
    if not beyond.size:
        return ''
    return (
        f'{name} has the labels {", ".join(map(str, beyond[:5]))} beyond 0 '
        f'to {VOID} and {IGNORE}'
    )
