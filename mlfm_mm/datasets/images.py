"""Files of images: which they are, and whether they can be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

from mmengine import fileio
from torchvision.datasets.folder import IMG_EXTENSIONS

EXTENSIONS = tuple(sorted(IMG_EXTENSIONS))
# What operating systems leave behind, beside hidden files.
LEFTOVERS = ('__macosx', 'desktop.ini', 'thumbs.db')
# Opening files waits for the disk, so more threads than cores pay off.
THREADS = 16


def is_leftover(name: str) -> bool:
    """Check whether a file or folder is hidden, or left by a system.

    Example:
        >>> is_leftover('.DS_Store'), is_leftover('cat')
        (True, False)
    """
    return name.startswith('.') or name.lower() in LEFTOVERS


def list_images(folder: Path, deep: bool = False) -> list[Path]:
    """List the files that are images by their names.

    Args:
        folder (Path): An existing folder.
        deep (bool): Whether to search its folders, too. Defaults to False.

    Returns:
        list[Path]: Sorted.

    Example:
        >>> list_images(Path(__file__).parent)
        []
    """
    return list_files(folder, deep)[0]


def list_files(
    folder: Path, deep: bool = False
) -> tuple[list[Path], list[Path]]:
    """List the files that are images by their names, and the others.

    Args:
        folder (Path): An existing folder.
        deep (bool): Whether to search its folders, too. Defaults to False.

    Returns:
        tuple[list[Path], list[Path]]: Each sorted, without leftovers.
    """
    images, others = [], []
    depth = len(folder.parts)
    for path in sorted(folder.rglob('*') if deep else folder.iterdir()):
        # Notebooks leave copies of images in hidden folders.
        if any(map(is_leftover, path.parts[depth:])):
            continue
        if path.suffix.lower() in EXTENSIONS:
            images.append(path)
        # Folders are searched, but for links to them.
        elif not path.is_dir() or (deep and path.is_symlink()):
            others.append(path)
    return images, others


def source_of(path: str | Path) -> Path | BytesIO:
    """Get what Pillow opens: a file, or what a storage backend holds.

    Example:
        >>> source_of('a.png').name
        'a.png'
    """
    return BytesIO(fileio.get(path)) if '://' in str(path) else Path(path)


def is_readable(path: str | Path) -> bool:
    """Check whether a file begins as an image does.

    Only the header is read: a check of every pixel would take as long as
    an epoch.
    """
    # Not at the top: the package must import without any host's packages.
    from PIL import Image

    try:
        with Image.open(source_of(path)):
            return True
    except Exception:  # broken files raise errors of every kind
        return False


def decodes(path: str | Path) -> bool:
    """Check whether an image can be read to its last pixel."""
    import mmcv

    try:
        return mmcv.imread(str(path)) is not None
    except Exception:  # as above
        return False


def find_unreadable(
    paths: Sequence[str],
    readable: Callable[[str], bool] = is_readable,
) -> list[str]:
    """Find the files that are no images, by several threads.

    Args:
        paths (Sequence[str]): The files.
        readable (Callable): Says whether a file is an image. Defaults to
            :func:`is_readable`.

    Returns:
        list[str]: Those that are no images, in the order of ``paths``.

    Example:
        >>> find_unreadable([__file__]) == [__file__]
        True
    """
    with ThreadPoolExecutor(THREADS) as pool:
        fine = pool.map(readable, paths)
        return [p for p, ok in zip(paths, fine, strict=True) if not ok]


def shorten(names: Sequence[str], limit: int = 3, comma: str = ', ') -> str:
    """Name the first few of a list.

    Example:
        >>> shorten(['a', 'b', 'c', 'd', 'e'])
        'a, b, c and 2 more'
    """
    rest = len(names) - limit
    more = f' and {rest} more' if rest > 0 else ''
    return comma.join(names[:limit]) + more
