"""Keep logs and curves from ending a run on a full disk."""

import errno
import logging
from collections.abc import Callable
from functools import partial

from mmengine.runner import Runner

# No space, a quota that is used up, a file that must not grow.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def tolerate_full_disk(runner: Runner) -> None:
    """Let a run go on where it cannot write its log and its curves.

    Args:
        runner (Runner): The runner, whose visualizer and log are changed.
    """
    visualizer = runner.visualizer
    # Not the runner: MMEngine never frees a visualizer, which would hold it.
    visualizer.add_scalars = partial(
        _add, visualizer.add_scalars, runner.logger
    )
    for handler in runner.logger.handlers:
        if isinstance(handler, logging.FileHandler):
            # Otherwise logging prints a traceback for each line.
            vars(handler)['handleError'] = lambda record: None


def _add(
    write: Callable[..., None],
    logger: logging.Logger,
    *args: object,
    **kwargs: object,
) -> None:
    """Write scalars, or say why they are missing."""
    try:
        write(*args, **kwargs)
    except OSError as error:
        if error.errno not in FULL:
            raise
        logger.warning(
            f'Curves lack a point, for which there was no room: {error}.'
        )
