"""Collect the results of training runs of the zoo's configs.

The data file holds, by the path of the config, a list of runs: each its
``seed``, its ``length`` in ``unit`` (``'epochs'`` or ``'iterations'``), the
``best`` result and where it was, ``best_at``, and ``final``, that at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mlfm_mm.analysis.runs import read_config, read_curve

from .records import MEASURED, TASKS, find_configs, read_json


def collect(root: Path, work_dirs: Iterable[Path]) -> dict[str, list[dict]]:
    """Read training logs and add their results to the collected ones.

    Args:
        root (Path): The top of the repository.
        work_dirs (Iterable[Path]): Work folders of ``tools/train.py``. A
            ``metrics.json`` in one, written by ``tools/test.py --out``,
            replaces the last result of its log.

    Returns:
        dict[str, list[dict]]: The runs by the path of the config, sorted by
        seed; a run replaces an older one of the same seed.

    Raises:
        ValueError: A folder holds no finished run of a config of the zoo.
    """
    paths = set(find_configs(root))
    collected: dict[str, list[dict]] = read_json(root / MEASURED)
    for folder in work_dirs:
        cfg = read_config(folder)
        path = path_of(cfg)
        if path not in paths:
            raise ValueError(
                f'{folder} is a run of {path}, which does not exist'
            )
        run = read_run(folder, cfg)
        others = collected.get(path, [])
        runs = [r for r in others if r['seed'] != run['seed']]
        collected[path] = sorted([*runs, run], key=lambda r: str(r['seed']))
    return dict(sorted(collected.items()))


def path_of(cfg: Config) -> str:
    """Find a run's config: of two with its name, one has the neck."""
    neck = (cfg.model.get('neck') or {}).get('type', '')
    arm = 'mlfm' if neck.endswith('MLFMNeck') else 'baseline'
    return f'configs/{arm}/{Path(cfg.filename).name}'


def read_run(folder: Path, cfg: Config) -> dict[str, Any]:
    """Read the results of a finished run.

    Args:
        folder (Path): The work folder.
        cfg (Config): The config in it.

    Returns:
        dict: What the data file holds of a run.

    Raises:
        ValueError: The run is not finished.
    """
    metric = TASKS[cfg.default_scope].metric
    curve = read_curve(folder, metric)
    epochs = cfg.train_cfg.get('max_epochs')
    unit = 'epochs' if epochs else 'iterations'
    length = epochs or cfg.train_cfg.max_iters
    if curve.last < length:
        raise ValueError(
            f'{folder}: the run was validated up to {curve.last} of {length} '
            f'{unit}; resume it by tools/train.py --resume'
        )
    metrics = read_json(folder / 'metrics.json')
    seed = cfg.get('randomness', {}).get('seed')
    return dict(
        seed=folder.resolve().name if seed is None else seed,
        length=length,
        unit=unit,
        best=round(curve.best, 2),
        best_at=curve.best_at,
        final=round(metrics.get(metric, curve.final), 2),
    )
