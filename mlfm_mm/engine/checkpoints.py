"""Checkpoint files that are whole or not there at all."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import torch

from .errors import explain
from .weights import SWITCHES, weights_only

# What a run needs in order to go on.
NEEDED = ('meta', 'state_dict', 'optimizer', 'message_hub')


class CheckpointError(ValueError):
    """A file from which a run cannot go on; the message says why."""


def put_in_place(part: Path, path: Path) -> None:
    """Flush a complete file to disk and rename it atomically.

    Whenever the process or the machine is killed, the name stands for the old
    file or the new one, never for a part of one.

    Args:
        part (Path): The file, in the folder of ``path``.
        path (Path): Its name; a file that has it is replaced.
    """
    _flush(part)
    os.replace(part, path)
    _flush(path.parent)


def point_to(path: Path, pointer: Path) -> None:
    """Write the path of a file to another, atomically.

    Args:
        path (Path): The file.
        pointer (Path): The other. MMEngine, and scripts, take the path that
            it holds from any folder, so it is absolute.
    """
    part = part_of(pointer)
    part.write_text(os.path.abspath(path))
    put_in_place(part, pointer)


def best_names(info: dict) -> set[str]:
    """List the file names of the best checkpoints in a ``runtime_info``.

    Example:
        >>> best_names(dict(best_ckpt='run/best_epoch_1.pth', best_score=1))
        {'best_epoch_1.pth'}
    """
    noted = (info[key] for key in info if key.startswith('best_ckpt'))
    return {Path(path).name for path in noted}


def part_of(path: Path) -> Path:
    """Name the temporary file that a file is written to.

    Args:
        path (Path): The file.

    Returns:
        Path: A hidden file beside it.

    Example:
        >>> part_of(Path('run/epoch_1.pth')).name
        '.epoch_1.pth.part'
    """
    return path.with_name(f'.{path.name}.part')


def _flush(path: Path) -> None:
    """Flush a file, or the entries of a folder, to disk."""
    if path.is_dir() and os.name == 'nt':
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check(path: Path) -> None:
    """Refuse a checkpoint from which a run cannot go on.

    Args:
        path (Path): The file.

    Raises:
        CheckpointError: If it is torn, damaged, no checkpoint, or holds
            weights only.
    """
    content = read(path)
    check_bytes(path)
    missing = [key for key in NEEDED if key not in content]
    if missing:
        raise CheckpointError(f'it lacks {", ".join(missing)}')


def read(path: Path) -> dict:
    """Read a checkpoint of MMEngine, by default without running code.

    Args:
        path (Path): The file. Its tensors stay on the disk until they are
            used.

    Returns:
        dict: What it holds.

    Raises:
        CheckpointError: If it cannot be read.
    """
    if not path.stat().st_size:
        raise CheckpointError('it is empty')
    mapped = zipfile.is_zipfile(path)
    trusted = SWITCHES[True] in os.environ
    try:
        with weights_only(trusted):
            content = torch.load(
                path,
                map_location='cpu',
                weights_only=not trusted,
                **(dict(mmap=True) if mapped else {}),
            )
    except Exception as error:  # A torn file can raise anything.
        raise CheckpointError(
            explain(error) if mapped else 'it is torn'
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError('it is no checkpoint of MMEngine')
    return content


def check_bytes(path: Path) -> None:
    """Compare the bytes of a file with the checksums that it carries.

    Args:
        path (Path): The file. One in PyTorch's format before 1.6 has none.

    Raises:
        CheckpointError: If they differ.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        try:
            damaged = archive.testzip()
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise CheckpointError(f'it is damaged ({error})') from error
    if damaged is not None:
        raise CheckpointError(f'it is damaged (checksum of {damaged})')
