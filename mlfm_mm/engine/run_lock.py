"""A folder of checkpoints belongs to one run at a time."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from .errors import UsageError

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

NAME = '.run.lock'
# The locks of this process, each given up where its file is closed.
_held: dict[Path, IO] = {}


def lock(folder: Path) -> None:
    """Refuse a folder to which a run of another process writes.

    Two runs would write the same temporary files, and publish each other's
    weights. The system gives the lock up when this process ends, however it
    does; the processes that it forks do not hold it. Where there are no
    locks, nothing is refused.

    Args:
        folder (Path): Where the run keeps its checkpoints.

    Raises:
        UsageError: There is such a run.
    """
    path = folder.resolve() / NAME
    if fcntl is None or path in _held:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open('a')
    except OSError:  # such as a full disk, which a run survives
        return
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        file.close()
        raise UsageError(
            f'another run writes to {folder}: end it first, or name another '
            f'folder by --work-dir. If there is none, remove {path}, which a '
            'network drive may hold locked for a machine that is down.'
        ) from error
    except OSError:  # a file system without locks
        file.close()
    else:
        _held[path] = file
