"""Make the places where tools write, before the work that is for them."""

from __future__ import annotations

from pathlib import Path

from .errors import UsageError


def make_parent(path: Path, ending: str = '') -> None:
    """Make the folder of a file to write.

    Args:
        path (Path): The file.
        ending (str): How its name must end, if it matters. Defaults to
            ``''``.

    Raises:
        UsageError: It is a folder itself, a file is in the way of its folder,
            or it ends otherwise.

    Example:
        >>> make_parent(Path(__file__).parent)
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: ... is a folder: give the file to
        write, such as ...
    """
    if path.is_dir():
        raise UsageError(
            f'{path} is a folder: give the file to write, such as '
            f'{path / f"NAME{ending}"}'
        )
    if not path.name.endswith(ending):
        raise UsageError(f'{path}: give a file that ends in {ending}')
    make_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder to write to.

    Args:
        path (Path): The folder.

    Raises:
        UsageError: A file is in its place, or in that of a folder above it.

    Example:
        >>> make_folder(Path(__file__))
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: ... is a file: give a folder
    """
    for place in (path, *path.parents):
        if place.is_file():
            raise UsageError(f'{place} is a file: give a folder')
    path.mkdir(parents=True, exist_ok=True)
