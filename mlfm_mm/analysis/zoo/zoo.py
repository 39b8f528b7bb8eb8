"""All that is known about the configs, in one place."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .costs import Cost, measure_cost
from .entries import Entry, find_entries
from .results import Measured, read_measured, read_published
from .tasks import TASKS, Task

COSTS = 'configs/zoo/costs.json'


@dataclass(frozen=True)
class Zoo:
    """The configs and their figures, each by the path of the config.

    Args:
        entries (list[Entry]): The configs.
        costs (dict[str, Cost]): Parameters and multiply-adds.
        tasks (dict[str, Task]): What they are for.
        published (dict[str, float]): Top-1 of the paper.
        measured (dict[str, Measured]): Results of our runs.
    """

    entries: list[Entry]
    costs: dict[str, Cost]
    tasks: dict[str, Task]
    published: dict[str, float]
    measured: dict[str, Measured]


def read_zoo(root: Path) -> Zoo:
    """Read the data files of the zoo.

    Args:
        root (Path): The top of the repository.

    Returns:
        Zoo: The configs and their figures.

    Raises:
        ValueError: There is a config without counts, or counts without a
            config.
    """
    entries = find_entries(root)
    rows = read_rows(root)
    differ = sorted(set(rows) ^ {entry.path for entry in entries})
    if differ:
        raise ValueError(
            f'{COSTS} does not fit the configs: {", ".join(differ)}; run '
            'python tools/zoo.py costs'
        )
    return Zoo(
        entries=entries,
        costs={path: read_cost(row) for path, row in rows.items()},
        tasks={path: TASKS[row['scope']] for path, row in rows.items()},
        published=read_published(root),
        measured=read_measured(root),
    )


def read_rows(root: Path) -> dict[str, dict[str, Any]]:
    """Read the counts of the configs, by path."""
    return json.loads((root / COSTS).read_text(encoding='utf-8'))


def read_cost(row: dict[str, Any]) -> Cost:
    """Read a row of the data file."""
    height, width = row['size']
    return Cost(row['params'], row['macs'], (height, width))


def measure_zoo(
    root: Path,
    report: Callable[[int, int, str, Cost], None],
    names: Sequence[str] = (),
) -> dict[str, dict]:
    """Count parameters and multiply-adds of configs.

    Args:
        root (Path): The top of the repository.
        report (Callable): Told the number of the config, how many there
            are, the path and the figures, after each.
        names (Sequence[str]): Words of which one must be in the path of a
            config that is counted; the others keep their rows. Defaults to
            none: all are counted.

    Returns:
        dict[str, dict]: The rows of the data file.

    Raises:
        ValueError: No config has such a name.
    """
    entries = find_entries(root)
    chosen = [
        entry.path
        for entry in entries
        if not names or any(name in entry.path for name in names)
    ]
    if not chosen:
        raise ValueError(
            f'no config of configs/baseline or configs/mlfm has one of '
            f'{list(names)} in its path'
        )
    known = read_rows(root) if names else {}
    for i, path in enumerate(chosen, start=1):
        cfg = Config.fromfile(root / path)
        cost = measure_cost(cfg)
        known[path] = dict(
            params=cost.params,
            macs=cost.macs,
            size=list(cost.size),
            scope=cfg.default_scope,
        )
        report(i, len(chosen), path, cost)
    return {e.path: known[e.path] for e in entries if e.path in known}
