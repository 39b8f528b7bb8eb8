"""A work folder belongs to one run at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .errors import UsageError

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

NAME = '.run.lock'


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder, and refuse one that another process holds.

    Two runs would write the same temporary files, and publish each other's
    weights. The system gives the lock up when the process ends, however it
    does, and forked ones do not have it. It is also given up where this
    process reads the file, as in a copy of the folder. Where there are no
    locks, nothing is refused.

    Args:
        folder (Path): The folder.

    Raises:
        UsageError: Another process holds it.

    Example:
        >>> from tempfile import mkdtemp
        >>> with held(Path(mkdtemp())):
        ...     pass  # train
    """
    path = folder.resolve() / NAME
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open('a'))
            if fcntl is not None:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f'another run writes to {folder}: end it first, or name '
                'another folder by --work-dir. If there is none, remove '
                f'{path}, which a network drive may hold locked for a machine '
                'that is down.'
            ) from error
        except OSError:
            pass  # such as a full disk, which a run survives
        yield
