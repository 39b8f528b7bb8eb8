"""Which folders of a data set are its splits, and which its classes."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .images import EXTENSIONS, is_leftover, shorten

TRAIN_NAMES = ('train', 'training')
# In order of preference.
VAL_NAMES = (
    'val',
    'valid',
    'validation',
    'dev',
    'eval',
    'evaluation',
    'test',
    'testing',
)
# Words to ignore, as in training_set and val_images.
FILLERS = ('set', 'data', 'dataset', 'images', 'split')
LAYOUTS = (
    'FOLDER/<class>/<images>, which is split, or FOLDER/train/<class>/'
    '<images> with FOLDER/val/<class>/<images>'
)


class FolderError(ValueError):
    """A folder of images that cannot be trained on, and how to repair it."""


def require_folder(root: str | Path, remedy: str) -> Path:
    """Refuse a data set whose folder is not there.

    Args:
        root (str | Path): The folder.
        remedy (str): A sentence to add to the message.

    Returns:
        Path: The folder.

    Raises:
        FolderError: It is not there.

    Example:
        >>> require_folder('no/such/folder', 'Check data_root.')
        Traceback (most recent call last):
        ...
        mlfm_mm.datasets.folder_layout.FolderError: There is no folder
        'no/such/folder'. Check data_root.
    """
    top = Path(root).expanduser()
    if not top.is_dir():
        raise FolderError(f'There is no folder {str(root)!r}. {remedy}')
    return top


@contextmanager
def new_folder(target: str | Path) -> Iterator[Path]:
    """Fill a folder that gets its name only once it is complete.

    Until then it is ``TARGET.partial``, which an error removes, so that half
    a data set is not taken for the whole.

    Args:
        target (str | Path): The folder to make; it may be there, but empty.

    Yields:
        Path: The folder to write to.

    Raises:
        FolderError: The target is not empty or cannot be replaced, or a
            program that was killed has left half of it.

    Example:
        >>> with new_folder('data/pets') as folder:  # doctest: +SKIP
        ...     (folder / 'train').mkdir()
    """
    base = Path(target).expanduser().resolve()
    partial = base.with_name(f'{base.name}.partial')
    for folder in (base, partial):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise FolderError(
                f'{folder} exists and is not empty: name a new folder, or '
                'delete it'
            )
    if base.is_mount():
        raise FolderError(
            f'{base} is where a disk is mounted: name a new folder in it'
        )
    partial.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        partial.replace(base)
    except BaseException:  # Ctrl-C, too
        shutil.rmtree(partial, ignore_errors=True)
        raise


def split_word(name: str) -> str | None:
    """Read which split a folder is, by its name.

    Args:
        name (str): Such as ``'Training'``, ``'TEST'``, ``'val_images'``,
            ``'testset'``, ``'train2017'`` or ``'seg_train'``.

    Returns:
        str | None: One of :data:`TRAIN_NAMES` or :data:`VAL_NAMES`, or None.

    Example:
        >>> split_word('Training_Set'), split_word('TESTSET')
        ('training', 'test')
        >>> split_word('test_tube') is None
        True
    """
    words = re.findall('[a-z]+', name.lower())
    words = [w.removesuffix('set') for w in words if w not in FILLERS]
    last = words[-1] if words else ''
    return last if last in TRAIN_NAMES + VAL_NAMES else None


def find_splits(top: Path) -> tuple[Path, Path | None]:
    """Find the folders of training and validation within a folder.

    A folder is a split if its name says so and it holds folders: a folder
    ``train`` of images is a class.

    Args:
        top (Path): The user's folder.

    Returns:
        tuple[Path, Path | None]: The folder whose folders are the classes,
        and the same for validation, or None where the images are yet to be
        split.

    Raises:
        FolderError: A split exists twice, or without its counterpart, or
            holds no class folders.
    """
    named: dict[str, list[Path]] = {}
    for folder in subfolders(top):
        word = split_word(folder.name)
        if word:
            named.setdefault(word, []).append(folder)
    splits = {w: [f for f in named[w] if subfolders(f)] for w in named}
    train = [f for word in TRAIN_NAMES for f in splits.get(word, [])]
    vals = [splits[word] for word in VAL_NAMES if splits.get(word)]
    for found in (train, *vals[:1]):
        if len(found) > 1:
            raise FolderError(
                f'{top} holds one split under several names '
                f'({shorten([f.name for f in found])}): leave one of them'
            )
    if not train:
        check_no_split(top, named, [f.name for found in vals for f in found])
        return top, None
    return class_top(train[0]), class_top(vals[0][0]) if vals else None


def check_no_split(
    top: Path, named: dict[str, list[Path]], vals: list[str]
) -> None:
    """Refuse splits that would be taken for classes."""
    if vals:
        raise FolderError(
            f'{top} holds {shorten(vals)}, but no folder train with the same '
            f'classes: expected {LAYOUTS}'
        )
    if named.keys() & set(TRAIN_NAMES) and named.keys() & set(VAL_NAMES):
        names = [f.name for found in named.values() for f in found]
        raise FolderError(
            f'{shorten(sorted(names))} of {top} are splits by their names, '
            f'but hold no class folders: expected {LAYOUTS}'
        )


def find_classes(top: Path) -> tuple[str, ...]:
    """List the class folders.

    Args:
        top (Path): The folder that holds them.

    Returns:
        tuple[str, ...]: Their names, sorted.

    Raises:
        FolderError: There are fewer than two, or they hold only folders, so
            that they are no classes.
    """
    folders = subfolders(top)
    names = [folder.name for folder in folders]
    nested = [folder for folder in folders if holds_only_folders(folder)]
    if nested:
        inside = [
            f'{f.name}/ ({shorten([sub.name for sub in subfolders(f)])})'
            for f in nested
        ]
        raise FolderError(
            f'{top} holds folders without images of their own, only with '
            f'other folders, so that they are no classes: {shorten(inside)}. '
            f'Expected {LAYOUTS}. Where the classes are inside one of them, '
            f'give that one, such as {nested[0]}'
        )
    if not names:
        files = shorten(sorted(path.name for path in top.iterdir()))
        raise FolderError(
            f'{top} holds no class folders, but {files or "nothing"}: '
            f'expected {LAYOUTS}'
        )
    if len(names) == 1:
        raise FolderError(
            f'{top} holds one class only ({names[0]}): a classifier needs '
            f'two or more; expected {LAYOUTS}'
        )
    return tuple(names)


def subfolders(top: Path) -> list[Path]:
    """List the folders that may be splits or classes, sorted."""
    with os.scandir(top) as entries:
        found = [Path(entry.path) for entry in entries if entry.is_dir()]
    return sorted(path for path in found if not is_leftover(path.name))


def holds_only_folders(folder: Path) -> bool:
    """Check whether a folder holds folders, and no images beside them."""
    with os.scandir(folder) as entries:
        # Stops at the first image of a class, which may have many.
        if any(e.name.lower().endswith(EXTENSIONS) for e in entries):
            return False
    return bool(subfolders(folder))


def class_top(split: Path) -> Path:
    """Go down from ``train/`` to ``train/train/``, as some archives unpack."""
    inside = subfolders(split)
    if len(inside) == 1 and inside[0].name == split.name:
        return inside[0]
    return split
