"""Read a folder of class folders, check it, and split it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

EXTENSIONS = (
    '.bmp',
    '.jpeg',
    '.jpg',
    '.pgm',
    '.png',
    '.ppm',
    '.tif',
    '.tiff',
    '.webp',
)
VAL_NAMES = ('val', 'valid', 'validation', 'test')
# Folders that archivers and systems leave behind.
NOT_CLASSES = ('__MACOSX',)
LAYOUTS = (
    'FOLDER/<class>/<images>, which is split, or FOLDER/train/<class>/'
    '<images> with FOLDER/val/<class>/<images>'
)

Sample = tuple[str, int]


class FolderError(ValueError):
    """A folder of images that cannot be trained on, and how to repair it."""


@dataclass(frozen=True)
class FolderContents:
    """What was found in a folder of images.

    Args:
        classes (tuple[str]): Names of the class folders, sorted; a label is
            an index of it.
        train (tuple[tuple]): Path and label of each training image.
        val (tuple[tuple]): The same for validation.
        unreadable (tuple[str]): Image files that are none, left out.
    """

    classes: tuple[str, ...]
    train: tuple[Sample, ...]
    val: tuple[Sample, ...]
    unreadable: tuple[str, ...]

    def counts(self, split: str) -> list[int]:
        """Count the images of each class.

        Args:
            split (str): 'train' or 'val'.

        Returns:
            list[int]: One number for each class.
        """
        labels = [label for _, label in getattr(self, split)]
        return [labels.count(i) for i in range(len(self.classes))]


@lru_cache(maxsize=4)
def scan_folder(
    root: str,
    val_fraction: float = 0.2,
    max_per_class: int | None = None,
) -> FolderContents:
    """Find the classes and images of a folder, and split them.

    Where the folder does not hold ``train`` and ``val`` itself, each class
    is split by the hash of the files' names: the same files give the same
    split on every machine, and no order of recording gets into it.

    Args:
        root (str): The folder.
        val_fraction (float): The part of each class kept for validation
            where the folder is not split. Defaults to 0.2.
        max_per_class (int, optional): At most so many images of each class
            (in a split folder, in each split). Defaults to None, all.

    Returns:
        FolderContents: The classes and the samples of both splits.

    Raises:
        FolderError: If the folder cannot be trained on; the message names
            what is missing.
    """
    top = Path(root).expanduser()
    if not top.is_dir():
        raise FolderError(f'there is no folder {root!r}: check the path')
    if max_per_class is not None and max_per_class < 2:
        raise FolderError(
            f'at most {max_per_class} images of a class are too few: '
            'training and validation need one each'
        )
    unreadable: list[str] = []
    train_top, val_top = find_splits(top)
    classes = find_classes(train_top)
    images = {
        name: pick(train_top / name, max_per_class, unreadable)
        for name in classes
    }
    if val_top is None:
        check_counts(images, 2, train_top, unreadable)
        splits = {n: split(paths, val_fraction) for n, paths in images.items()}
        train = {name: pair[0] for name, pair in splits.items()}
        val = {name: pair[1] for name, pair in splits.items()}
    else:
        check_counts(images, 1, train_top, unreadable)
        check_same_classes(classes, val_top)
        train = images
        val = {
            name: pick(val_top / name, max_per_class, unreadable)
            for name in classes
        }
        check_counts(val, 1, val_top, unreadable)
    return FolderContents(classes, label(train), label(val), tuple(unreadable))


def find_splits(top: Path) -> tuple[Path, Path | None]:
    """Find the folders of training and validation within a folder.

    Args:
        top (Path): The user's folder.

    Returns:
        tuple: The folder whose folders are the classes, and the same for
        validation, or None where the images are yet to be split.
    """
    if not (top / 'train').is_dir():
        return top, None
    vals = [top / name for name in VAL_NAMES if (top / name).is_dir()]
    return top / 'train', vals[0] if vals else None


def find_classes(top: Path) -> tuple[str, ...]:
    """List the class folders.

    Args:
        top (Path): The folder that holds them.

    Returns:
        tuple[str]: Their names, sorted.

    Raises:
        FolderError: If there are fewer than two.
    """
    names = sorted(
        path.name
        for path in top.iterdir()
        if path.is_dir()
        and not path.name.startswith('.')
        and path.name not in NOT_CLASSES
    )
    if not names:
        raise FolderError(f'{top} holds no class folders: expected {LAYOUTS}')
    if len(names) == 1:
        raise FolderError(
            f'{top} holds one class only ({names[0]}): a classifier needs '
            f'two or more; expected {LAYOUTS}'
        )
    return tuple(names)


def pick(folder: Path, limit: int | None, unreadable: list[str]) -> list[str]:
    """Pick the readable images of a class, in an order without meaning.

    Args:
        folder (Path): The class folder; folders in it count, too.
        limit (int, optional): At most so many. Defaults to None.
        unreadable (list[str]): Takes the files that are no images.

    Returns:
        list[str]: Paths, ordered by the hash of their names.
    """
    picked: list[str] = []
    for path in sorted(image_files(folder), key=name_hash):
        if limit is not None and len(picked) >= limit:
            break
        (picked if is_readable(path) else unreadable).append(str(path))
    return picked


def image_files(folder: Path) -> Iterator[Path]:
    """Go through the files that are images by their names."""
    for path in folder.rglob('*'):
        if path.suffix.lower() in EXTENSIONS and not path.name.startswith('.'):
            yield path


def name_hash(path: Path) -> str:
    """Hash a file's name, so that order in the folder has no effect."""
    return hashlib.sha1(path.name.encode()).hexdigest() + str(path)


def is_readable(path: Path) -> bool:
    """Say whether a file begins as an image does.

    Only the header is read: a check of every pixel would take as long as
    an epoch.
    """
    # Not at the top: the package must import without any host's packages.
    from PIL import Image

    try:
        with Image.open(path):
            return True
    except Exception:  # broken files raise errors of every kind
        return False


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


def label(images: dict[str, list[str]]) -> tuple[Sample, ...]:
    """Give each image the index of its class."""
    return tuple(
        (path, index)
        for index, paths in enumerate(images.values())
        for path in sorted(paths)
    )


def check_same_classes(classes: tuple[str, ...], val_top: Path) -> None:
    """Refuse a validation folder with other classes.

    Args:
        classes (tuple[str]): The classes of training.
        val_top (Path): The validation folder.

    Raises:
        FolderError: If the names of the class folders differ.
    """
    differ = sorted(set(classes) ^ set(find_classes(val_top)))
    if differ:
        raise FolderError(
            f'training and validation must have the same class folders, but '
            f'{shorten(differ)} is not in both {val_top.parent}/train and '
            f'{val_top}'
        )


def check_counts(
    images: dict[str, list[str]],
    least: int,
    top: Path,
    unreadable: list[str],
) -> None:
    """Refuse classes with too few images.

    Args:
        images (dict[str, list[str]]): The images of each class.
        least (int): The number that each class needs.
        top (Path): The folder of the classes, for the message.
        unreadable (list[str]): Files that were left out, for the message.

    Raises:
        FolderError: If a class has fewer.
    """
    few = [f'{n} ({len(p)})' for n, p in images.items() if len(p) < least]
    if not few:
        return
    message = (
        f'each class needs {least} or more readable images, but in {top} '
        f'there are fewer in {shorten(few)}; images end in '
        f'{", ".join(EXTENSIONS)}'
    )
    if unreadable:
        message += f'; unreadable: {shorten(unreadable)}'
    raise FolderError(message)


def shorten(names: list[str], limit: int = 3) -> str:
    """Name the first few of a list.

    Example:
        >>> shorten(['a', 'b', 'c', 'd', 'e'])
        'a, b, c and 2 more'
    """
    rest = len(names) - limit
    more = f' and {rest} more' if rest > 0 else ''
    return ', '.join(names[:limit]) + more
