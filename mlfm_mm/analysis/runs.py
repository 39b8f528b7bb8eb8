"""Read what a Runner left in its work folder: config, log and weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from mmengine.config import Config

from ..engine import UsageError
from .scalars import read_records

# The metric that counts, by the host's scope.
METRICS = {'mmpretrain': 'accuracy/top1', 'mmseg': 'mIoU'}


@dataclass(frozen=True)
class Curve:
    """Loss and scores of a training run, by epoch or by iteration.

    Args:
        loss (dict[int, float]): Mean training loss of each epoch, exact if
            the run had :class:`mlfm_mm.engine.EpochSummaryHook`; if it
            counts iterations, the logged losses.
        score (dict[int, float]): Validation metric by the epoch or iteration
            after which it was measured.
        seconds (dict[int, float]): Time of each training epoch, empty
            without that hook.
    """

    loss: dict[int, float]
    score: dict[int, float]
    seconds: dict[int, float]

    @property
    def best_at(self) -> int:
        """int: The first epoch or iteration with the highest score."""
        return max(sorted(self.score), key=lambda step: self.score[step])

    @property
    def best(self) -> float:
        """float: The highest score."""
        return self.score[self.best_at]

    @property
    def last(self) -> int:
        """int: The last epoch or iteration that was validated."""
        return max(self.score)

    @property
    def final(self) -> float:
        """float: The score at the end."""
        return self.score[self.last]

    @property
    def epoch_seconds(self) -> float:
        """float: The time of the fastest epoch.

        Other programs on the machine slow down the others more.
        """
        return min(self.seconds.values())


def metric_of(scope: str) -> str:
    """Name the metric that counts.

    Args:
        scope (str): The host's scope.

    Returns:
        str: Its name.

    Raises:
        UsageError: It is not known for this host.

    Example:
        >>> metric_of('mmseg')
        'mIoU'
    """
    if scope not in METRICS:
        raise UsageError(
            f'networks of {" and ".join(METRICS)} are compared here, not of '
            f'{scope}'
        )
    return METRICS[scope]


def score_in(metrics: dict[str, float], scope: str) -> float:
    """Read the metric that counts from the results of a test.

    Args:
        metrics (dict[str, float]): The results.
        scope (str): The host's scope.

    Returns:
        float: Its value.

    Raises:
        UsageError: It was not measured.
    """
    name = metric_of(scope)
    if name not in metrics:
        raise UsageError(
            f'{name!r} is compared here, but test_evaluator measures '
            f'{", ".join(metrics) or "nothing"}: '
            + _remedy(metrics, 'add the metric to it')
        )
    return float(metrics[name])  # mmseg's is numpy's, which JSON refuses


def _remedy(names: Iterable[str], usual: str) -> str:
    if any(name.startswith('multi-label/') for name in names):
        return 'networks with several labels are not compared here'
    return usual


def find_runs(folder: Path) -> list[Path]:
    """Find the work folders of runs.

    Args:
        folder (Path): A work folder, or one that holds some at any depth,
            such as the quickstart's.

    Returns:
        list[Path]: The folders, sorted.

    Raises:
        UsageError: There is none.
    """
    if not folder.is_dir():
        raise UsageError(f'there is no folder {folder}: check the path')
    found = sorted(
        {log.parents[2] for log in folder.glob('**/vis_data/scalars.json')}
    )
    # Logs in subfolders of a run belong to that run.
    runs = [run for run in found if not set(run.parents) & set(found)]
    if not runs:
        raise UsageError(
            f'{folder} holds no run (*/vis_data/scalars.json): give a work '
            'folder of tools/train.py, or a folder of them'
        )
    return runs


def split_name(word: str) -> tuple[str | None, str]:
    """Split ``NAME=PATH``, but not an existing path that contains ``=``.

    Example:
        >>> split_name('plain=runs/lr=0.1'), split_name('runs')
        (('plain', 'runs/lr=0.1'), (None, 'runs'))
        >>> split_name('https://example.org/net.pth?v=1')[0]
    """
    address = '://' in word.partition('=')[0]
    if '=' not in word or address or Path(word).exists():
        return None, word
    cuts = [i for i, letter in enumerate(word) if letter == '=']
    cut = next((i for i in cuts if Path(word[i + 1 :]).exists()), cuts[0])
    return word[:cut], word[cut + 1 :]


def name_of(run: Path) -> str:
    """Name a run after its folder, without the seed at the end.

    Args:
        run (Path): The work folder.

    Returns:
        str: The same for runs that differ in their seed only.

    Example:
        >>> [name_of(Path(p)) for p in ('a/mlfm_s3', 'a/mlfm/seed1', 'b1')]
        ['mlfm', 'mlfm', 'b1']
    """
    name = re.sub(r'(^|[_-])(seed|s)[_-]?\d+$', '', run.resolve().name)
    return name or run.resolve().parent.name


def read_curve(
    work_dir: str | Path,
    metric: str,
    records: Sequence[dict] | None = None,
) -> Curve:
    """Read the scalars that a Runner recorded.

    Args:
        work_dir (str | Path): The work folder; a later start replaces what
            was recorded from its first step on.
        metric (str): Name of the validation metric.
        records (Sequence[dict], optional): What is recorded there, where it
            has been read. Defaults to None.

    Returns:
        Curve: The run.

    Raises:
        UsageError: If the metric was not recorded there, or not when.
    """
    losses: dict[int, list[float]] = {}
    exact: dict[int, float] = {}
    scores: dict[int, float] = {}
    seconds: dict[int, float] = {}
    timeless = False
    if records is None:
        records = read_records(Path(work_dir))
    for record in records:
        step = int(record['step'])
        if 'loss' in record:
            epoch = int(record.get('epoch', step))
            losses.setdefault(epoch, []).append(record['loss'])
        # A validation alone, or one at an iteration that was not logged.
        timeless |= metric in record and not step
        if metric in record and step:
            scores[step] = float(record[metric])
        if 'epoch_time' in record:
            seconds[step] = record['epoch_time']
            exact[step] = record['epoch_loss']
    if not scores and timeless:
        raise UsageError(
            f'{work_dir} does not tell when {metric!r} was measured: train by '
            'default_hooks.logger.log_metric_by_epoch=False where iterations '
            'are counted, as tools/train.py does'
        )
    if not scores:
        usual = 'give the work folder of a run whose last start was validated'
        raise UsageError(
            f'{work_dir} holds no validation results {metric!r} '
            '(*/vis_data/scalars.json): '
            + _remedy((key for record in records for key in record), usual)
        )
    means = {epoch: fmean(values) for epoch, values in losses.items()}
    return Curve(means | exact, scores, seconds)


def read_config(work_dir: Path) -> Config:
    """Read the config that the Runner wrote beside its log.

    Args:
        work_dir (Path): The work folder.

    Returns:
        Config: The config; its ``filename`` is the file.

    Raises:
        UsageError: There is none, or more than one.
    """
    found = sorted(work_dir.glob('*.py'))
    if len(found) != 1:
        raise UsageError(
            f'{work_dir} holds {len(found)} configs (*.py) instead of one: '
            'give a work folder of tools/train.py'
        )
    return Config.fromfile(found[0])


def seed_in(cfg: Config) -> int | None:
    """Read the seed that a config sets, None where it sets none."""
    return (cfg.get('randomness') or {}).get('seed')


def find_checkpoint(work_dir: Path) -> Path:
    """Find the last checkpoint of a run.

    Args:
        work_dir (Path): The work folder.

    Returns:
        Path: The file.

    Raises:
        UsageError: There is none.
    """
    path = work_dir / 'last_checkpoint'
    if path.is_file():
        # It names a path, but the folder may have been moved since.
        path = work_dir / Path(path.read_text('utf-8').strip()).name
    if not path.is_file():
        raise UsageError(
            f'{work_dir} holds no weights ({path.name}): give a work folder '
            'of tools/train.py'
        )
    return path
