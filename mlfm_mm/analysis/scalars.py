"""Read the scalars that the starts of a run have logged."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

# What MMEngine logs of a training from its start, and of one that goes on.
TRAINED = re.compile(r'Epoch\(train\) +\[ *1\]|Iter\(train\)')
RESUMED = 'resumed epoch: '


def read_records(work_dir: Path) -> list[dict]:
    """Read what the starts of a run have logged.

    Args:
        work_dir (Path): The work folder.

    Returns:
        list[dict]: The records, oldest first. A start that went on replaces
        those from its first step on, one that began anew all before it.
    """
    kept: list[dict] = []
    # The folders are named after the time of the start.
    for folder in sorted(work_dir.glob('*/vis_data')):
        new = list(_lines(folder / 'scalars.json'))
        first = _first_steps(new)
        if _trained_anew(folder.parent):
            kept = []
        if first.get('loss', math.inf) <= _first_steps(kept).get('loss', 0):
            kept = []
        kept = [r for r in kept if r['step'] < first.get(_kind(r), math.inf)]
        kept += new
    return kept


def _trained_anew(start: Path) -> bool:
    """Tell by the log of a start, where it has one, if it did not go on.

    By the steps alone, one that logs later than an earlier one seems to, and
    one that draws its curves elsewhere leaves none.
    """
    logs = [log.read_text('utf-8', 'replace') for log in start.glob('*.log')]
    text = ''.join(logs)
    return bool(TRAINED.search(text)) and RESUMED not in text


def _lines(file: Path) -> Iterator[dict]:
    if not file.is_file():
        return
    for line in file.read_text('utf-8').splitlines():
        # A killed run, or a full disk, leaves a truncated line.
        with suppress(json.JSONDecodeError):
            yield json.loads(line)


def _first_steps(records: Sequence[dict]) -> dict[str, int]:
    """Find the first step of each kind of records."""
    first: dict[str, int] = {}
    for record in records:
        # Scalars that were added without a step have step 0.
        if record['step']:
            first.setdefault(_kind(record), record['step'])
    return first


def _kind(record: dict) -> str:
    """Tell losses, which count iterations, from times and from scores."""
    kinds = ('loss', 'epoch_time')
    return next((kind for kind in kinds if kind in record), 'score')
