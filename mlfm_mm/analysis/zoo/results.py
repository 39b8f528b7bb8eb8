"""Accuracies: the published ones, and those measured with this code."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .entries import Entry
from .tasks import TASKS

PUBLISHED = 'configs/zoo/published_in100.csv'
MEASURED = 'configs/zoo/measured.json'


@dataclass(frozen=True)
class Measured:
    """What our runs of a config reached.

    Args:
        runs (tuple[dict]): Of each run its ``seed``, its ``length`` in
            ``unit`` (``'epochs'`` or ``'iterations'``), the ``best`` result
            and where it was, ``best_at``, and ``final``, the one at its end.

    Example:
        >>> run = dict(seed=0, length=90, unit='epochs')
        >>> run |= dict(best=81.0, best_at=70, final=80.0)
        >>> str(Measured((run, dict(run, seed=1, best=82.0))))
        '81.50 best, 80.00 last of 90 epochs, 2 seeds'
        >>> str(Measured((run,)))
        '81.00 best (70), 80.00 last of 90 epochs, 1 seed'
    """

    runs: tuple[dict[str, Any], ...]

    @property
    def best(self) -> float:
        """float: The best result of a run, averaged over the runs."""
        return self._mean('best')

    @property
    def final(self) -> float:
        """float: The result at the end, averaged over the runs."""
        return self._mean('final')

    def _mean(self, key: str) -> float:
        return sum(run[key] for run in self.runs) / len(self.runs)

    def __str__(self) -> str:
        count = len(self.runs)
        # An average over seeds is at no single epoch.
        place = f' ({self.runs[0]["best_at"]})' if count == 1 else ''
        lengths = sorted({f'{r["length"]:,} {r["unit"]}' for r in self.runs})
        return (
            f'{self.best:.2f} best{place}, {self.final:.2f} last of '
            f'{" or ".join(lengths)}, {count} seed{"s" if count > 1 else ""}'
        )


def read_published(root: Path) -> dict[str, float]:
    """Read the published top-1 of the table.

    Args:
        root (Path): The folder that holds ``configs/``.

    Returns:
        dict[str, float]: Percentages by the path of the config.
    """
    published = {}
    with open(root / PUBLISHED, newline='', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            stem = f'{row["network"].lower()}_in100'
            for folder in ('baseline', 'mlfm'):
                path = Entry(folder, stem).path
                published[path] = float(row[f'{folder}_top1'])
    return published


def read_measured(root: Path) -> dict[str, Measured]:
    """Read the results that were collected from training logs.

    Args:
        root (Path): The folder that holds ``configs/``.

    Returns:
        dict[str, Measured]: Results by the path of the config.
    """
    path = root / MEASURED
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding='utf-8'))
    return {name: Measured(tuple(runs)) for name, runs in content.items()}


def collect_runs(
    root: Path, work_dirs: Iterable[Path], entries: Iterable[Entry]
) -> dict[str, list[dict[str, Any]]]:
    """Read training logs and add their results to the collected ones.

    Args:
        root (Path): The folder that holds ``configs/``.
        work_dirs (Iterable[Path]): Work folders of ``tools/train.py``; the
            latest log in each counts. A ``metrics.json`` in it, written by
            ``tools/test.py --out``, replaces the last result of the log.
        entries (Iterable[Entry]): The configs of the zoo.

    Returns:
        dict[str, list[dict]]: The runs by the path of the config, sorted by
        seed; a run replaces an older one of the same seed.

    Raises:
        ValueError: A folder holds no finished run of a config of the zoo.
    """
    # Two networks may share a name, of which one has the memory.
    paths = {entry.path for entry in entries}
    known = read_measured(root)
    collected = {path: list(found.runs) for path, found in known.items()}
    for folder in work_dirs:
        path, run = read_run(folder, paths)
        others = collected.get(path, [])
        runs = [r for r in others if r['seed'] != run['seed']]
        collected[path] = sorted([*runs, run], key=lambda r: str(r['seed']))
    return dict(sorted(collected.items()))


def read_run(folder: Path, paths: set[str]) -> tuple[str, dict[str, Any]]:
    """Read the latest run of a work folder.

    Args:
        folder (Path): The work folder.
        paths (set[str]): The configs of the zoo.

    Returns:
        tuple[str, dict]: Path of the config, and the run's results.

    Raises:
        ValueError: There is no config or no log, or the run is not finished.
    """
    cfg = read_config(folder)
    path = config_path(cfg, folder, paths)
    metric = TASKS[cfg.default_scope].metric
    scores = read_scores(folder, metric)
    unit, length = run_length(cfg)
    if max(scores) < length:
        raise ValueError(
            f'{folder}: the run was validated up to {max(scores)} of '
            f'{length} {unit}; resume it by tools/train.py --resume'
        )
    best_at = max(scores, key=lambda step: scores[step])
    final = scores[max(scores)]
    metrics = folder / 'metrics.json'
    if metrics.is_file():
        final = json.loads(metrics.read_text(encoding='utf-8'))[metric]
    return path, dict(
        seed=run_name(cfg, folder),
        length=length,
        unit=unit,
        best=round(scores[best_at], 2),
        best_at=best_at,
        final=round(final, 2),
    )


def run_length(cfg: Config) -> tuple[str, int]:
    """Tell how long a run is, in the unit that its log counts in."""
    loop = cfg.train_cfg
    if loop.get('max_epochs'):
        return 'epochs', loop.max_epochs
    return 'iterations', loop.max_iters


def run_name(cfg: Config, folder: Path) -> int | str:
    """Tell a run by its seed, or by its folder where none was set."""
    seed = cfg.get('randomness', {}).get('seed')
    return folder.resolve().name if seed is None else seed


def read_config(folder: Path) -> Config:
    """Read the config that the Runner wrote into its work folder."""
    found = sorted(folder.glob('*.py'))
    if len(found) != 1:
        raise ValueError(
            f'{folder} holds {len(found)} configs (*.py) instead of one: give '
            'a work folder of tools/train.py'
        )
    return Config.fromfile(found[0])


def config_path(cfg: Config, folder: Path, paths: set[str]) -> str:
    """Tell the config of a run by its name and its neck."""
    neck = (cfg.model.get('neck') or {}).get('type', '')
    arm = 'mlfm' if neck.endswith('MLFMNeck') else 'baseline'
    path = Entry(arm, Path(cfg.filename).stem).path
    if path not in paths:
        raise ValueError(f'{folder} is a run of {path}, which does not exist')
    return path


def read_scores(folder: Path, metric: str) -> dict[int, float]:
    """Read the validation results from the logs.

    A log holds a line of JSON for each record; a resumed run begins a new
    log, so that all logs are read in order.

    Args:
        folder (Path): The work folder.
        metric (str): The key of the metric.

    Returns:
        dict[int, float]: Percentages by epoch or iteration.

    Raises:
        ValueError: No log has any.
    """
    scores = {}
    for log in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in log.read_text(encoding='utf-8').splitlines():
            record = json.loads(line)
            if metric in record:
                scores[int(record['step'])] = float(record[metric])
    if not scores:
        raise ValueError(
            f'{folder} holds no validation results (*/vis_data/scalars.json '
            f'with {metric!r})'
        )
    return scores
