"""The errors that a user can repair, reported in one sentence."""

import logging
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha1
from pathlib import Path
from pickle import UnpicklingError
from urllib.error import URLError

from mmengine.logging import MMLogger

from ..datasets.folder_layout import FolderError
from .launchers import ranks_told

# What MMEngine's forks prepend to an error from building a class.
BUILT = re.compile(r'^(class `[^`]*` in \S+: )+')
# What PyTorch prepends to the traceback of a dataloader worker.
WORKER = re.compile(r'Caught \w+ in DataLoader worker process')
# How PyTorch names the function that a checkpoint would call.
REFUSED = re.compile(r'GLOBAL ([\w.]+)')
# How gloo and NCCL report that a process no longer answers.
PEER_GONE = re.compile(
    r'Connection (closed|reset) by peer|remote process exited'
)
# Seconds in which processes with the same message print it once.
TOGETHER = 60.0
# The code of a program that SIGINT has ended, by which shells know it.
INTERRUPTED = 130


class UsageError(ValueError):
    """A mistake in a command or a config, reported before any work is lost.

    The message names the value that is wrong and the remedy; the tools print
    it alone, without a traceback.
    """


@contextmanager
def one_sentence(tool: str, remedy: str = '') -> Iterator[None]:
    """Exit with a sentence instead of a traceback.

    The traceback of anything but a :class:`UsageError` or a
    :class:`mlfm_mm.datasets.FolderError` goes to the log file of the run, or
    to a temporary file where there is none yet. Processes of one machine that
    fail alike report it once.

    Args:
        tool (str): The program's name, which begins the sentence.
        remedy (str): What to do after an interrupt. Defaults to ``''``.

    Example:
        >>> with one_sentence('train.py'):
        ...     raise UsageError('there is no config file')
        Traceback (most recent call last):
        ...
        SystemExit: train.py: there is no config file
    """
    try:
        yield
    except (UsageError, FolderError) as error:
        exit_once(f'{tool}: {message(error)}')
    except (Exception, KeyboardInterrupt) as error:
        if is_interrupt(error):
            told = f'{tool}: interrupted'
            print(f'{told}; {remedy}' if remedy else told, file=sys.stderr)
            sys.exit(INTERRUPTED)
        where = log_traceback(error)
        exit_once(f'{tool}: {sentence(error)}', f' (traceback: {where})')


def is_interrupt(error: BaseException | None) -> bool:
    """Tell whether Ctrl-C led to an error, perhaps of another kind.

    A library that catches everything reports it as one of its own.

    Args:
        error (BaseException, optional): The error.

    Returns:
        bool: Whether it did.
    """
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def sentence(error: BaseException) -> str:
    """Describe an error by its kind and message, without a traceback.

    Args:
        error (BaseException): Any error.

    Returns:
        str: Its kind and its message.

    Example:
        >>> sentence(KeyError('class `A` in a.py: there is no class `B`'))
        'KeyError: there is no class `B`'
        >>> sentence(AssertionError())
        'AssertionError'
        >>> sentence(RuntimeError('[pair.cc:547] Connection closed by peer'))
        'stopped, since another process has ended and says why'
    """
    text = message(error)
    if PEER_GONE.search(text):
        return 'stopped, since another process has ended and says why'
    return f'{type(error).__name__}: {text}' if text else type(error).__name__


def message(error: BaseException) -> str:
    """Get an error's message, without what libraries prepend to it."""
    if isinstance(error, UnpicklingError):
        return f'a checkpoint: {explain(error)}'
    # The text of a KeyError is in quotes.
    quoted = isinstance(error, KeyError) and error.args
    content = error.args[0] if quoted else error
    text = BUILT.sub('', str(content)).strip()
    if WORKER.match(text):
        return text.splitlines()[-1].partition(': ')[2]
    return text


def explain(error: Exception) -> str:
    """Say in one sentence why a checkpoint cannot be read.

    Args:
        error (Exception): What reading it raised.

    Returns:
        str: The reason and the remedy.

    Example:
        >>> text = 'Unsupported global: GLOBAL os.system was not an allowed'
        >>> explain(UnpicklingError(text))
        'reading it would run code (os.system): if you trust where it comes
        from, add --trust'
    """
    refused = REFUSED.search(str(error))
    if isinstance(error, UnpicklingError) and refused:
        return (
            f'reading it would run code ({refused[1]}): if you trust where '
            'it comes from, add --trust'
        )
    if isinstance(error, (FileNotFoundError, PermissionError, URLError)):
        return str(error)
    return 'it is no checkpoint, or damaged: take another copy of it'


def log_traceback(error: BaseException) -> str:
    """Write a traceback to the log file, and nowhere else.

    Args:
        error (BaseException): The error.

    Returns:
        str: The file.
    """
    text = ''.join(traceback.format_exception(error))
    logger = MMLogger.get_current_instance()
    record = dict(name=logger.name, levelname='ERROR', msg=text)
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            # The disk may be full, or the folder gone.
            with suppress(OSError):
                handler.handle(logging.makeLogRecord(record))
                if Path(handler.baseFilename).is_file():
                    return handler.baseFilename
    with tempfile.NamedTemporaryFile(
        'w', prefix='mlfm_mm-', suffix='.log', delete=False
    ) as file:
        file.write(text)
    return file.name


def exit_once(text: str, more: str = '') -> None:
    """Exit with a message that only one of the processes prints.

    Args:
        text (str): The message.
        more (str): What follows it, and may differ between processes.
            Defaults to ``''``.

    Raises:
        SystemExit: Always.
    """
    if said_by_another(text):
        sys.exit(1)
    sys.exit(text + more)


def said_by_another(text: str) -> bool:
    """Claim a message, unless another process of this launcher has.

    The first one creates a file; in the others, creating it fails. The same
    process, started again, says it again: some machines set WORLD_SIZE for
    good.

    Args:
        text (str): The message.

    Returns:
        bool: Whether another one prints it.
    """
    told = ranks_told()
    if not told:
        return False
    rank = ' '.join(told)
    run = (os.getppid(), os.environ.get('MASTER_PORT'), text)
    name = f'mlfm_mm-{sha1(repr(run).encode()).hexdigest()[:16]}'
    path = Path(tempfile.gettempdir()) / name
    with suppress(OSError):
        if time.time() - path.stat().st_mtime > TOGETHER:
            path.unlink()
    with suppress(OSError):
        try:
            with path.open('x') as file:
                file.write(rank)
        except FileExistsError:
            return path.read_text() != rank
    return False
