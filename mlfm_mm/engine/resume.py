"""Choose the checkpoint that a run resumes from."""

from __future__ import annotations

import math
from logging import WARNING
from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import print_log

from .checkpoints import (
    NEEDED,
    CheckpointError,
    check,
    check_bytes,
    read,
    written_at,
)
from .errors import UsageError

LOG = dict(logger='current')


def choose_checkpoint(folder: Path, suffix: str = '.pth') -> Path | None:
    """Choose the checkpoint that a run goes on from, and say which.

    Args:
        folder (Path): Where the run keeps its checkpoints.
        suffix (str): How their names end. Defaults to ``'.pth'``.

    Returns:
        Path: The newest whole one, the same in all processes; None where
        there is none of any kind, so that training starts anew.

    Raises:
        UsageError: If there are some, but none can be resumed from.
    """
    found = [find_newest(folder, suffix) if is_main_process() else None]
    broadcast_object_list(found)
    newest, passed = found[0] or (None, {})
    if newest is None and passed:
        reasons = '; '.join(f'{name}: {why}' for name, why in passed.items())
        raise UsageError(
            f'there is nothing to resume from in {folder} ({reasons}): give '
            'a checkpoint by --resume FILE, or remove these to start anew'
        )
    if newest is None:
        print_log(f'No checkpoint in {folder}: training starts anew.', **LOG)
        return None
    for name, why in passed.items():
        print_log(f'Passed over {name}: {why}.', level=WARNING, **LOG)
    print_log(f'Going on from {newest}.', **LOG)
    return newest


def check_asked(path: Path, folder: Path, suffix: str = '.pth') -> None:
    """Refuse to resume from a file that is not whole; name a newer one.

    Args:
        path (Path): The checkpoint that was asked for.
        folder (Path): Where the run keeps its own.
        suffix (str): How their names end. Defaults to ``'.pth'``.

    Raises:
        UsageError: If it cannot be resumed from.
    """
    try:
        check(path)
    except (CheckpointError, OSError) as error:
        raise UsageError(
            f'{path} cannot be resumed from: {error}. --resume without a '
            'file takes the newest checkpoint of the work folder that is '
            'whole'
        ) from error
    newest, _ = find_newest(folder, suffix)
    if newest and _written(newest) > _written(path):
        # As where the same command begins a job again that was stopped.
        print_log(
            f'{newest} is newer than {path}, from which the run begins: it '
            'goes on from the newer one by --resume without a file.',
            level=WARNING,
            **LOG,
        )


def _written(path: Path) -> float:
    """Tell when a whole checkpoint was written; infinity if it does not."""
    try:
        return written_at(read(path)['meta'])
    except (KeyError, TypeError, ValueError):
        return math.inf


def find_newest(
    folder: Path, suffix: str = '.pth'
) -> tuple[Path | None, dict[str, str]]:
    """Find the last checkpoint that was written and is whole.

    Their age is read from their ``meta``, and ``last_checkpoint`` is ignored,
    so that a folder may be copied or moved. Files of weights only, such as
    ``best_*``, are no candidates.

    Args:
        folder (Path): Where the checkpoints lie.
        suffix (str): How their names end. Defaults to ``'.pth'``.

    Returns:
        tuple: The newest, or None, and the names of those that were passed
        over, with the reasons.
    """
    dated, passed, weights_only = [], {}, {}
    for path in filter(Path.is_file, sorted(folder.glob(f'[!.]*{suffix}'))):
        try:
            content = read(path)
            missing = [key for key in NEEDED if key not in content]
            if missing:
                weights_only[path.name] = f'it lacks {", ".join(missing)}'
                continue
            meta = content['meta']
            dated.append(((written_at(meta), meta['iter']), path))
        except (KeyError, TypeError, ValueError) as error:
            passed[path.name] = str(error)
    for _, path in sorted(dated, reverse=True):
        try:
            check_bytes(path)
        except CheckpointError as error:
            passed[path.name] = str(error)
        else:
            return path, passed
    return None, {**passed, **weights_only}
