"""Checkpoint files that are whole or not there at all."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

import torch
from mmengine.fileio import LocalBackend, get_file_backend

from .errors import UsageError, explain
from .weights import SWITCHES, weights_only

# Those of FlexibleRunner, by which a checkpoint is a folder that all processes
# write to.
OF_FOLDERS = ('FSDPStrategy', 'DeepSpeedStrategy', 'ColossalAIStrategy')
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


def folder_of(work_dir: str, out_dir: str | None) -> Path:
    """Find the folder where MMEngine's hook keeps checkpoints.

    Example:
        >>> str(folder_of('runs/a', None)), str(folder_of('runs/a', 'disk'))
        ('runs/a', 'disk/a')
    """
    if out_dir in (None, work_dir):
        return Path(work_dir)
    return Path(out_dir) / Path(work_dir).name


def is_local(folder: str, client: dict | None, runner: object) -> bool:
    """Check whether checkpoints are files on a disk, in no remote store."""
    kinds = type(getattr(runner, 'strategy', None)).__mro__
    if any(kind.__name__ in OF_FOLDERS for kind in kinds):
        return False
    # MMEngine's older way to name a store, ``file_client_args``, goes first.
    return client is None and isinstance(
        get_file_backend(folder), LocalBackend
    )


def check_name(template: str) -> None:
    """Refuse names in a folder, where no run would look for them.

    Raises:
        UsageError: The template holds a slash.
    """
    if '/' in template:
        raise UsageError(
            f'filename_tmpl={template!r} names a folder: give the name of a '
            'file, and the folder by out_dir'
        )


def written_at(meta: dict) -> float:
    """Tell when a checkpoint was written, in seconds.

    Args:
        meta (dict): Its ``meta``. One of MMEngine's own hook holds the local
            time, which is taken for that of this place.

    Returns:
        float: Seconds since the epoch.
    """
    if 'written' in meta:
        return float(meta['written'])
    return time.mktime(time.strptime(meta['time'], '%Y%m%d_%H%M%S'))


def point_to(path: Path, folder: Path) -> None:
    """Write the path of a checkpoint to ``last_checkpoint``, atomically.

    Args:
        path (Path): The checkpoint.
        folder (Path): That of the pointer. MMEngine, and scripts, take the
            path that it holds from any folder, so it is absolute.
    """
    pointer = folder / 'last_checkpoint'
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


def remove_parts(folder: Path, template: str) -> None:
    """Remove the temporary files that a killed run has left."""
    for part in folder.glob(f'.*{Path(template).suffix}.part'):
        part.unlink()


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
