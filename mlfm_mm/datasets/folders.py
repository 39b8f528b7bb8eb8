"""Read a folder of class folders, check it, and split it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .folder_layout import FolderError, find_classes, find_splits, subfolders
from .images import EXTENSIONS, find_unreadable, list_files, shorten

__all__ = ['FolderContents', 'FolderError', 'Sample', 'scan_folder']

Sample = tuple[str, int]
Paths = dict[str, list[str]]


@dataclass(frozen=True)
class FolderContents:
    """What was found in a folder of images.

    Args:
        classes (tuple[str, ...]): Names of the class folders, sorted; a
            label is an index of it.
        train (tuple[Sample, ...]): Path and label of each training image.
        val (tuple[Sample, ...]): The same for validation.
        train_unreadable (tuple[str, ...]): Files left out because they are no
            images: empty files, text, broken links. Defaults to none.
        val_unreadable (tuple[str, ...]): The same for validation, where the
            folder is split. Defaults to none.
        ignored (tuple[str, ...]): Files that are no images by their names,
            and folders beside the splits. Defaults to none.
    """

    classes: tuple[str, ...]
    train: tuple[Sample, ...]
    val: tuple[Sample, ...]
    train_unreadable: tuple[str, ...] = ()
    val_unreadable: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def unreadable(self) -> tuple[str, ...]:
        """tuple[str, ...]: Those of both splits."""
        return self.train_unreadable + self.val_unreadable

    def counts(self, split: str) -> list[int]:
        """Count the images of each class.

        Args:
            split (str): ``'train'`` or ``'val'``.

        Returns:
            list[int]: One number for each class.
        """
        labels = [label for _, label in getattr(self, split)]
        return [labels.count(i) for i in range(len(self.classes))]

    def left_out(self) -> list[str]:
        """List what of the folder is not used, a line for each reason."""
        return left_out(self.unreadable, self.ignored)


def left_out(unreadable: Sequence[str], ignored: Sequence[str]) -> list[str]:
    """List what of a folder is not used, a line for each reason.

    Example:
        >>> left_out(['a.png'], [])
        ['1 files that are no images: a.png']
    """
    reasons = {
        'files that are no images': unreadable,
        'files and folders that are neither images nor classes': ignored,
    }
    return [
        f'{len(paths)} {reason}: {shorten(paths)}'
        for reason, paths in reasons.items()
        if paths
    ]


def scan_folder(
    root: str, val_fraction: float = 0.2, max_per_class: int | None = None
) -> FolderContents:
    """Find the classes and images of a folder, and split them.

    It holds class folders, or splits that hold them, under their usual names
    in any case (of ``val``, ``dev`` and ``test``, the first that exists). If
    there are no splits, each class is split by the hashes of its file names,
    alike on every machine.

    Args:
        root (str): The folder.
        val_fraction (float): The part of each class kept for validation
            where the folder is not split, between 0 and 1. Defaults to 0.2.
        max_per_class (int, optional): At most so many images of each class,
            in each split that there is. Defaults to None, all.

    Returns:
        FolderContents: The classes and the samples of both splits.

    Raises:
        FolderError: If the folder cannot be trained on; it says why.
    """
    top = check_options(root, max_per_class)
    train_top, val_top = find_splits(top)
    if val_top is None:
        check_fraction(root, val_fraction)
    classes, ignored = find_classes(train_top), unused(top, train_top, val_top)
    train_finder = Finder(max_per_class, ignored)
    val_finder = Finder(max_per_class, ignored)
    train = train_finder.find(train_top, classes, 1 if val_top else 2)
    if val_top is None:
        train, val = split_classes(train, val_fraction)
    else:
        check_same_classes(train_top, val_top)
        val = val_finder.find(val_top, classes, 1)
    return FolderContents(
        classes,
        label(train),
        label(val),
        tuple(train_finder.unreadable),
        tuple(val_finder.unreadable),
        tuple(ignored),
    )


def check_fraction(root: str, fraction: float) -> None:
    """Refuse what is no part of a folder that has to be split."""
    if not 0 < fraction < 1:
        raise FolderError(
            f'val_fraction={fraction} cannot split {root!r}: take a part '
            'above 0 and below 1, such as 0.2'
        )


def check_options(root: str, max_per_class: int | None) -> Path:
    """Refuse a missing folder, and too few images."""
    top = Path(root).expanduser()
    if not top.is_dir():
        raise FolderError(f'there is no folder {root!r}: check the path')
    if max_per_class is not None and max_per_class < 2:
        raise FolderError(
            f'at most {max_per_class} images of a class are too few: '
            'training and validation need one each'
        )
    return top


class Finder:
    """Find the images of classes, and note what is left out."""

    def __init__(self, limit: int | None, ignored: list[str]) -> None:
        self.limit = limit
        self.unreadable: list[str] = []
        self.ignored = ignored

    def find(self, top: Path, classes: tuple[str, ...], least: int) -> Paths:
        """Find the images of each class, and refuse classes of too few."""
        found = {name: self.pick(top / name) for name in classes}
        few = [f'{n} ({len(p)})' for n, p in found.items() if len(p) < least]
        if few:
            told = (
                f'each class needs {least} or more readable images, but in '
                f'{top} there are fewer in {shorten(few)}; images end in '
                f'{", ".join(EXTENSIONS)}'
            )
            others = left_out(self.unreadable, self.ignored)
            raise FolderError('; '.join([told, *others]))
        return found

    def pick(self, folder: Path) -> list[str]:
        """Pick readable images, inner folders included.

        They are ordered by the hashes of their names, so that a limit picks
        none by its name or place.
        """
        images, others = list_files(folder, deep=True)
        self.ignored += map(str, others)
        waiting = [str(path) for path in sorted(images, key=name_hash)]
        limit = self.limit or len(waiting)
        picked: list[str] = []
        while waiting and len(picked) < limit:
            count = limit - len(picked)
            some, waiting = waiting[:count], waiting[count:]
            # A dict keeps their order.
            broken = dict.fromkeys(find_unreadable(some))
            self.unreadable += broken
            picked += [path for path in some if path not in broken]
        return picked


def name_hash(path: Path) -> str:
    """Hash a file's name, so that order in the folder has no effect."""
    # A name need not be UTF-8.
    return hashlib.sha1(os.fsencode(path.name)).hexdigest() + str(path)


def split(paths: list[str], fraction: float) -> tuple[list[str], list[str]]:
    """Split a class into training and validation, one image each at least.

    Args:
        paths (list[str]): Two images or more.
        fraction (float): The part for validation.

    Returns:
        tuple[list[str], list[str]]: Training and validation.

    Example:
        >>> split(['a', 'b', 'c', 'd', 'e'], 0.2)
        (['b', 'c', 'd', 'e'], ['a'])
    """
    count = min(max(1, round(len(paths) * fraction)), len(paths) - 1)
    return paths[count:], paths[:count]


def split_classes(images: Paths, fraction: float) -> tuple[Paths, Paths]:
    """Split each class into training and validation."""
    pairs = {name: split(paths, fraction) for name, paths in images.items()}
    train = {name: pair[0] for name, pair in pairs.items()}
    return train, {name: pair[1] for name, pair in pairs.items()}


def label(images: Paths) -> tuple[Sample, ...]:
    """Give each image the index of its class."""
    return tuple(
        (path, index)
        for index, paths in enumerate(images.values())
        for path in sorted(paths)
    )


def unused(top: Path, *tops: Path | None) -> list[str]:
    """List what lies beside splits or class folders."""
    parts = {path for t in tops if t for path in (t, *t.parents)}
    found = [f for t in {top, *tops} if t for fs in list_files(t) for f in fs]
    if top not in tops:
        found += [path for path in subfolders(top) if path not in parts]
    return sorted(map(str, found))


def check_same_classes(train_top: Path, val_top: Path) -> None:
    """Refuse a validation folder with other classes."""
    classes = [set(find_classes(top)) for top in (train_top, val_top)]
    differ = sorted(classes[0] ^ classes[1])
    if differ:
        raise FolderError(
            f'training and validation must have the same class folders, but '
            f'{shorten(differ)} is not in both {train_top} and {val_top}'
        )
