"""Look at every file of a data set, before a network is trained on it."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import mmcv
import numpy as np

from .images import source_of

# A size is extreme if it differs from the median by more than this factor.
EXTREME = 8.0
# The label that mmseg's losses and metrics ignore.
IGNORED = 255
# What is wrong with a data set: the kind, the split, and what was seen.
Finding = tuple[str, str, str]


@dataclass(frozen=True)
class Seen:
    """What was seen of an image.

    Args:
        name (str): The file, or a number where the image is in memory.
        fault (str): ``'empty'``, ``'unreadable'`` or ``''``.
        size (tuple[int, int]): Width and height.
        digest (str): A hash of the pixels.
        labels (tuple[int, ...]): Those of the image, or all in its mask.
        mask_fault (str): What is wrong with the mask, or ``''``.
        turned (bool): Whether its EXIF data ask to rotate it.
        has_mask (bool): Whether a mask belongs to it.
    """

    name: str
    fault: str = ''
    size: tuple[int, int] = (0, 0)
    digest: str = ''
    labels: tuple[int, ...] = ()
    mask_fault: str = ''
    turned: bool = False
    has_mask: bool = False


# ---- One image --------------------------------------------------------------


def look_at(info: dict) -> Seen:
    """Decode an image and its mask.

    Args:
        info (dict): What the data set knows of it, as
            :class:`mmengine.dataset.BaseDataset` gives it.

    Returns:
        Seen: What was seen; nothing is raised.
    """
    pixels, turned = info.get('img'), False
    name = str(info.get('img_path', info.get('sample_idx')))
    if pixels is None:
        try:
            path = Path(name)
            if path.is_file() and not path.stat().st_size:
                return Seen(name, 'empty')
            pixels, turned = read(name)
        except Exception:  # broken files raise errors of every kind
            return Seen(name, 'unreadable')
    size = (pixels.shape[1], pixels.shape[0])
    labels, mask_fault = look_at_labels(info, size)
    digest = hashlib.blake2b(pixels.tobytes(), digest_size=16)
    digest.update(repr(pixels.shape).encode())
    return Seen(
        name=name,
        size=size,
        digest=digest.hexdigest(),
        labels=labels,
        mask_fault=mask_fault,
        turned=turned,
        # mmdet's data sets have the key, and nothing in it.
        has_mask=bool(info.get('seg_map_path')),
    )


def read(path: str) -> tuple[np.ndarray, bool]:
    """Read an image as it is stored, and whether EXIF data ask to rotate it.

    Pillow decodes it first, since OpenCV may fill in the rest of a torn file.
    """
    from PIL import ExifTags, Image

    with warnings.catch_warnings():
        # Pillow warns of large images, which are reported by their size.
        warnings.simplefilter('ignore')
        with Image.open(source_of(path)) as image:
            image.load()
            turn = image.getexif().get(ExifTags.Base.Orientation, 1)
    pixels = mmcv.imread(path, flag='color_ignore_orientation')
    if pixels is None:
        raise OSError(f'{path} cannot be decoded')
    return pixels, turn != 1


def look_at_labels(
    info: dict, size: tuple[int, int]
) -> tuple[tuple[int, ...], str]:
    """Get the labels of an image, or those of its mask and what is wrong."""
    if not info.get('seg_map_path'):
        of_boxes = [b.get('bbox_label') for b in info.get('instances') or ()]
        labels = info.get('gt_label', [n for n in of_boxes if n is not None])
        return tuple(np.atleast_1d(labels).astype(int).tolist()), ''
    name = Path(info['seg_map_path']).name
    try:
        mask = mmcv.imread(info['seg_map_path'], 'unchanged', backend='pillow')
    except Exception:  # as above
        return (), f'its mask {name} cannot be read'
    if mask.ndim != 2:
        return (), f'its mask {name} is a picture in colours'
    if mask.shape[::-1] != size:
        wide = 'x'.join(map(str, mask.shape[::-1]))
        return (
            (),
            f'its mask {name} has {wide} pixels, not {size[0]}x{size[1]}',
        )
    labels = map_labels(np.unique(mask), info)
    if not labels:
        return (), f'its mask {name} labels nothing'
    return tuple(labels), ''


def map_labels(values: np.ndarray, info: dict) -> list[int]:
    """Change labels as mmseg's ``LoadAnnotations`` does, without ignored ones.

    Example:
        >>> map_labels(np.array([0, 1, 255]), dict(reduce_zero_label=True))
        [0]
        >>> map_labels(np.array([0, 1, 11]), dict(label_map={11: 255}))
        [0, 1]
    """
    labels = values.astype(int).tolist()
    if info.get('reduce_zero_label'):
        labels = [label - 1 for label in labels if label not in (0, IGNORED)]
    changed = info.get('label_map') or {}
    labels = [changed.get(label, label) for label in labels]
    return sorted({label for label in labels if label != IGNORED})


# ---- All images of a data set -----------------------------------------------


def judge(
    splits: Mapping[str, Sequence[Seen]],
    classes: Sequence[str] = (),
    turns: bool = False,
    extreme: float = EXTREME,
) -> Iterator[Finding]:
    """Say what is wrong with a data set.

    Args:
        splits (Mapping[str, Sequence[Seen]]): What was seen of each split.
        classes (Sequence[str]): Names of the classes; without them labels
            are not judged. Defaults to none.
        turns (bool): Whether pictures are rotated and their masks are not.
            Defaults to False.
        extreme (float): A size is extreme if it differs from the median by
            more than this factor. Defaults to 8.

    Yields:
        Finding: Each thing that is wrong, split by split.
    """
    first = next(iter(splits))
    for split, seen in splits.items():
        sound = [s for s in seen if not s.fault]
        found: dict[str, Iterable[str]] = {
            'extreme size': extreme_sizes(sound, extreme),
            'mask': faults_of_masks(sound, turns),
            'label': faults_of_labels(sound, classes) if classes else (),
        }
        if split != first:
            found['duplicate'] = duplicates(splits[first], sound, first)
        yield from ((s.fault, split, s.name) for s in seen if s.fault)
        for kind, texts in found.items():
            yield from ((kind, split, text) for text in texts)


def extreme_sizes(seen: Sequence[Seen], factor: float) -> Iterator[str]:
    """Name images that are far smaller, larger or longer than usual."""
    if not seen:
        return
    usual = [median(s.size[axis] for s in seen) for axis in (0, 1)]
    shape = median(max(s.size) / min(s.size) for s in seen)
    for s in seen:
        ratios = [s.size[axis] / usual[axis] for axis in (0, 1)]
        ratios.append(max(s.size) / min(s.size) / shape)
        if any(not 1 / factor <= ratio <= factor for ratio in ratios):
            yield f'{s.name}: {s.size[0]}x{s.size[1]} pixels'


def faults_of_masks(seen: Sequence[Seen], turns: bool) -> Iterator[str]:
    """Name masks that cannot be used or do not fit their pictures."""
    for s in seen:
        if s.mask_fault:
            yield f'{s.name}: {s.mask_fault}'
        elif turns and s.turned and s.has_mask:
            yield (
                f'{s.name}: is turned by its EXIF data, its mask is not (use '
                "color_type='color_ignore_orientation')"
            )


def faults_of_labels(
    seen: Sequence[Seen], classes: Sequence[str]
) -> Iterator[str]:
    """Name labels that are no class, and classes without images."""
    found: set[int] = set()
    for s in seen:
        found.update(s.labels)
        wrong = [n for n in s.labels if not 0 <= n < len(classes)]
        if wrong:
            yield (
                f'{s.name}: {", ".join(map(str, wrong[:5]))}, not within 0 to '
                f'{len(classes) - 1}'
            )
    # The answers to a challenge's test set are often secret.
    labelled = any(s.labels or s.has_mask for s in seen)
    for label, name in enumerate(classes):
        if labelled and label not in found:
            yield f'no image has the label {label} ({name})'


def duplicates(
    first: Sequence[Seen], second: Sequence[Seen], split: str
) -> Iterator[str]:
    """Name images of which another split has the same pixels."""
    known = {s.digest: s.name for s in first if s.digest}
    for s in second:
        if s.digest in known:
            yield f'{s.name} = {known[s.digest]} ({split})'
