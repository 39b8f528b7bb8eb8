"""The places where tools write, before the work that is for them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mmengine.dataset import BaseDataset

from ..datasets.images import shorten
from .checkpoints import put_in_place
from .errors import UsageError


def make_parent(path: Path, ending: str = '') -> None:
    """Make the folder of a file to write, as :func:`check_file` allows."""
    check_file(path, ending)
    path.parent.mkdir(parents=True, exist_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder to write to, as :func:`check_folder` allows."""
    check_folder(path)
    path.mkdir(parents=True, exist_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Write a file that is whole, or leave what was there.

    Args:
        path (Path): The file.

    Yields:
        Path: Where to write it: a file of the same name, in a hidden folder
        beside it. It is moved once it is found right, and goes if not.

    Example:
        >>> with TemporaryDirectory() as folder:
        ...     with whole_file(Path(folder) / 'net.onnx') as part:
        ...         part.name, part.write_bytes(b'whole')
        ('net.onnx', 5)
    """
    with TemporaryDirectory(prefix='.', dir=path.parent) as folder:
        part = Path(folder) / path.name
        yield part
        put_in_place(part, path)


def check_file(path: Path, ending: str = '') -> None:
    """Refuse the name of a file that cannot be written.

    Args:
        path (Path): The file.
        ending (str): How its name must end, if it matters. Defaults to
            ``''``.

    Raises:
        UsageError: It is a folder itself, a file is in the way of its folder,
            it ends otherwise, or one of the two is read-only.

    Example:
        >>> check_file(Path(__file__).parent)
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: ... is a folder: give the file to
        write, such as ...
    """
    if os.path.isdir(path):
        raise UsageError(
            f'{path} is a folder: give the file to write, such as '
            f'{path / f"NAME{ending}"}'
        )
    if not path.name.endswith(ending):
        raise UsageError(f'{path}: give a file that ends in {ending}')
    check_folder(path.parent)
    _check_access(path)


def check_names(dataset: BaseDataset, folder: str) -> None:
    """Refuse pictures of one name, whose masks would replace each other.

    Args:
        dataset (BaseDataset): The pictures.
        folder (str): Where a mask is written for each.

    Raises:
        UsageError: Several are called the same.
    """
    paths = (dataset.get_data_info(i)['img_path'] for i in range(len(dataset)))
    counts = Counter(Path(path).stem for path in paths)
    if several := [name for name, count in counts.items() if count > 1]:
        raise UsageError(
            f'--out {folder}: predictions are named as their pictures, of '
            f'which several are called {shorten(several)}: rename these, or '
            'test one folder of pictures at a time'
        )


def check_apart(out: Path, source: str | Path) -> None:
    """Refuse to write a file over the one that is read.

    Raises:
        UsageError: They are the same, perhaps by a link.

    Example:
        >>> check_apart(Path(__file__), __file__)
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: ... is what is read: ...
    """
    if out.exists() and Path(source).exists() and out.samefile(source):
        raise UsageError(f'{out} is what is read: give another file to write')


def check_folder(path: Path) -> None:
    """Refuse a folder that cannot be made.

    Args:
        path (Path): The folder.

    Raises:
        UsageError: A file is in its place, or in that of a folder above it,
            or the next folder that is there is read-only.

    Example:
        >>> check_folder(Path(__file__))
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: ... is a file: give a folder
    """
    # Unlike Path.is_file(), it raises nothing below a folder that is hidden.
    for place in filter(os.path.isfile, (path, *path.parents)):
        raise UsageError(f'{place} is a file: give a folder')
    _check_access(path)


def _check_access(path: Path) -> None:
    """Refuse what is read-only, or would be made in a folder that is."""
    there = next(filter(os.path.exists, (path, *path.parents)))
    mode = os.W_OK | os.X_OK if os.path.isdir(there) else os.W_OK
    if not os.access(there, mode):
        raise UsageError(
            f'{there.absolute()} is read-only: give another place'
        )
