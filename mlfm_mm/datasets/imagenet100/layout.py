"""Where the images of ImageNet-100 lie, in each of its layouts."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..folder_layout import FolderError, require_folder, subfolders
from ..folders import Sample
from ..images import EXTENSIONS, list_images, shorten
from .classes import RANKS

FETCH = 'kaggle datasets download ambityga/imagenet100 --unzip -p {root}'
CHECK = 'python tools/dataset_converters/imagenet100.py check {root}'
EXPECTED = (
    "Expected one of: train.X1 ... train.X4 and val.X, as Kaggle's "
    'ambityga/imagenet100 unpacks; train/<wnid>/ and val/<wnid>/; or an '
    'ImageNet-1k tree with train/ and val/'
)
IMAGENET_1K = 1000
# Where Kaggle's ImageNet-1k keeps its splits.
DEEP = Path('ILSVRC', 'Data', 'CLS-LOC')


class AbsentSplit(FolderError):
    """A split that is not there at all, as some copies lack one."""


@dataclass(frozen=True)
class Split:
    """The images of one split.

    Args:
        layout (str): ``'kaggle'``, ``'merged'`` or ``'imagenet-1k'``.
        images (dict[str, list[Path]]): The images of each of the 100
            classes, by synset in the order of the labels.
    """

    layout: str
    images: dict[str, list[Path]]

    def samples(self) -> list[Sample]:
        """Label the images.

        Returns:
            list[tuple[str, int]]: Path and label of each.
        """
        return [
            (str(path), label)
            for label, paths in enumerate(self.images.values())
            for path in paths
        ]


def find_split(root: str | Path, split: str) -> Split:
    """Find the images of a split, in whatever layout.

    Args:
        root (str | Path): The folder of the data set.
        split (str): ``'train'`` or ``'val'``.

    Returns:
        Split: The images; no class is without any.

    Raises:
        FolderError: There is no such folder, or its classes are not those of
            ImageNet-100, or a class is empty. The message says what was
            expected, what was found and the remedy.
        AbsentSplit: There is no such split.
    """
    top = require_folder(root, remedy(root))
    check_labels(top)
    # Beside them may lie the archives that they came in.
    parts = sorted(filter(Path.is_dir, top.glob(f'{split}.X*')))
    if parts:
        return Split('kaggle', collect(top, split, parts))
    for base in (top / split, top / DEEP / split):
        if base.is_dir():
            count = len(subfolders(base))
            if not count:
                return Split('imagenet-1k', collect_flat(top, base, split))
            layout = 'merged' if count <= len(RANKS) else 'imagenet-1k'
            return Split(layout, collect(top, split, [base]))
    found = shorten(sorted(path.name for path in top.iterdir()), 6)
    raise AbsentSplit(
        f'{top} has no {split!r} split. {EXPECTED}. Found: '
        f'{found or "nothing"}. {remedy(root)}'
    )


def remedy(root: str | Path) -> str:
    """Name the commands that fetch and check the data set."""
    return (
        f'To fetch it: {FETCH.format(root=root)}; to check it: '
        f'{CHECK.format(root=root)}'
    )


def check_labels(top: Path) -> None:
    """Refuse another data set that brings its own ``Labels.json``."""
    path = top / 'Labels.json'
    if not path.is_file():
        return
    try:
        listed = set(json.loads(path.read_text(encoding='utf-8')))
    except ValueError as error:
        raise FolderError(f'{path} is no JSON file: {error}') from error
    if listed != set(RANKS):
        differ = shorten(sorted(listed ^ set(RANKS)))
        raise FolderError(
            f'{path} lists {len(listed)} classes, which are not the 100 of '
            f'ambityga/imagenet100: {differ} differ. {remedy(top)}'
        )


def collect(
    top: Path, split: str, parts: Iterable[Path]
) -> dict[str, list[Path]]:
    """List the images of the 100 classes, by synset.

    Raises:
        FolderError: A class is absent, empty or there twice, or there are
            others.
    """
    folders: dict[str, Path] = {}
    for folder in (f for part in parts for f in subfolders(part)):
        first = folders.setdefault(folder.name, folder)
        if first != folder:
            raise FolderError(
                f'{first} and {folder} are the same class: put the images '
                f'into one of them. {remedy(top)}'
            )
    absent = [wnid for wnid in RANKS if wnid not in folders]
    others = sorted(set(folders) - set(RANKS))
    if absent or (others and len(folders) < IMAGENET_1K):
        raise FolderError(wrong_classes(top, split, absent, others))
    images = {wnid: list_images(folders[wnid]) for wnid in RANKS}
    empty = [str(folders[wnid]) for wnid in RANKS if not images[wnid]]
    check_empty(top, split, empty)
    return images


def wrong_classes(
    top: Path, split: str, absent: list[str], others: list[str]
) -> str:
    """Describe how the classes of a split differ from the expected ones."""
    found = len(RANKS) - len(absent) + len(others)
    message = (
        f'The {split!r} split of {top} has {found} class folders; expected '
        f'the {len(RANKS)} of ImageNet-100, or the {IMAGENET_1K} of '
        'ImageNet-1k.'
    )
    if absent:
        message += f' Absent ({len(absent)}): {shorten(absent)}.'
    if others:
        message += f' Not of ImageNet-100 ({len(others)}): {shorten(others)}.'
    if absent and others:
        message += (
            ' There are several choices of 100 classes; the one meant is '
            "Kaggle's ambityga/imagenet100. To train on yours, use a config "
            '*_folder.py.'
        )
    return f'{message} {remedy(top)}'


def check_empty(top: Path, split: str, empty: list[str]) -> None:
    """Refuse classes without images, named by where they were looked for."""
    if empty:
        raise FolderError(
            f'The {split!r} split of {top} has no images of {len(empty)} of '
            f'the {len(RANKS)} classes: {shorten(empty)}. Images end in '
            f'{", ".join(EXTENSIONS)}. {remedy(top)}'
        )


# ---- ImageNet-1k's validation images, all in one folder -------------------


def collect_flat(top: Path, base: Path, split: str) -> dict[str, list[Path]]:
    """Find the images of the 100 classes by a list of labels.

    Raises:
        FolderError: There is no list, or it names no image of a class.
    """
    synsets = read_solution(top) or read_meta(top, split)
    if not synsets:
        raise FolderError(
            f'{base} has no class folders, and neither '
            f'{top / "LOC_val_solution.csv"} nor {top / "meta"}/{split}.txt '
            f'tells the classes of its images. {EXPECTED}. {remedy(top)}'
        )
    images: dict[str, list[Path]] = {wnid: [] for wnid in RANKS}
    for path in list_images(base):
        wnid = synsets.get(path.stem, '')
        if wnid in images:
            images[wnid].append(path)
    empty = [f'{base} ({wnid})' for wnid in RANKS if not images[wnid]]
    check_empty(top, split, empty)
    return images


def read_solution(top: Path) -> dict[str, str]:
    """Read the list that comes with Kaggle's ImageNet-1k, if it is there."""
    path = top / 'LOC_val_solution.csv'
    if not path.is_file():
        return {}
    with open(path, newline='', encoding='utf-8') as file:
        return {
            row['ImageId']: row['PredictionString'].split()[0]
            for row in csv.DictReader(file)
        }


def read_meta(top: Path, split: str) -> dict[str, str]:
    """Read OpenMMLab's list of names and labels, if it is there."""
    path = top / 'meta' / f'{split}.txt'
    if not path.is_file():
        return {}
    # A label is the rank among the training classes, which must all be here.
    wnids = [folder.name for folder in subfolders(top / 'train')]
    if len(wnids) != IMAGENET_1K:
        raise FolderError(
            f'{path} counts labels among {IMAGENET_1K} classes, but '
            f'{top / "train"} has {len(wnids)} class folders. {remedy(top)}'
        )
    rows = [line.split() for line in path.read_text().splitlines() if line]
    return {Path(name).stem: wnids[int(label)] for name, label in rows}
