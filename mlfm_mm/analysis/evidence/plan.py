"""Plans of experiments: which networks are trained with which seeds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ...engine import UsageError
from ...engine.options import load_config

SETTINGS = {
    'title',
    'config',
    'arms',
    'baselines',
    'seeds',
    'metric',
    'beside',
}
REQUIRED = {'title', 'arms', 'baselines', 'seeds', 'metric'}
# The settings that determine the trained network, beside the seed, ...
RECIPE = (
    'model',
    'data_preprocessor',
    'train_dataloader',
    'optim_wrapper',
    'param_scheduler',
    'train_cfg',
)
# ... and the keys in them that do not.
PLACES = {'data_root', 'source', 'num_workers', 'persistent_workers'}
# Where a run's folder has the fingerprint of its recipe.
FINGERPRINT = 'fingerprint.txt'
ARM_SETTINGS = {'title', 'config', 'overrides'}


@dataclass(frozen=True)
class Arm:
    """A network of a plan.

    Args:
        name (str): Its name in records and folders.
        title (str): Its name in tables and figures.
        config (Path): The config that it is trained with.
        overrides (dict): Dotted keys of the config and their values; in
            ``load_from``, ``{seed}`` stands for the run's. Defaults to none.
    """

    name: str
    title: str
    config: Path
    overrides: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """An arm with a seed.

    Args:
        arm (Arm): The arm.
        seed (int): The seed.
    """

    arm: Arm
    seed: int

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f'{self.arm.name}_s{self.seed}'


@dataclass(frozen=True)
class Plan:
    """Arms and seeds, and how they are compared.

    Args:
        name (str): The name of the plan's file, without ending.
        title (str): Its name in tables and figures.
        arms (tuple[Arm]): The networks, in the order of the rows.
        baselines (tuple[str]): The arms that the others are compared with,
            of this plan or of one in ``beside``.
        seeds (tuple[int]): The seeds.
        metric (str): The validation metric to compare by.
        beside (tuple[str]): Other plans with the same recipe, whose runs
            are shown together with these. Defaults to none.
    """

    name: str
    title: str
    arms: tuple[Arm, ...]
    baselines: tuple[str, ...]
    seeds: tuple[int, ...]
    metric: str
    beside: tuple[str, ...] = ()

    def runs(self) -> Iterator[Run]:
        """Yield the runs, seed by seed, so that pairs are soon complete."""
        for seed in self.seeds:
            for arm in self.arms:
                yield Run(arm, seed)


def read_plan(path: str | Path) -> Plan:
    """Read a plan and check it.

    Args:
        path (str | Path): A config file with ``title``, ``config`` (relative
            to the file; an arm may have its own), ``arms``, ``baselines``,
            ``seeds``, ``metric`` and perhaps ``beside``; names that begin
            with an underscore are ignored.

    Returns:
        Plan: The plan.

    Raises:
        UsageError: If there is no such file, or if a part of it is missing,
            unknown, empty, or no list where it must be one.
    """
    path = Path(path)
    # As JSON gives them back, since overrides are compared with a record's;
    # a range of seeds is a list.
    settings = load_config(str(path)).to_dict()
    settings = json.loads(json.dumps(settings, default=list))
    content = {k: v for k, v in settings.items() if not k.startswith('_')}
    _check_keys(path, 'the plan', content, REQUIRED, SETTINGS)
    _check_lists(path, content)
    arms = [
        _read_arm(path, name, {'config': content.get('config'), **arm})
        for name, arm in content['arms'].items()
    ]
    _check_baselines(path, content)
    return Plan(
        path.stem,
        content['title'],
        tuple(arms),
        tuple(content['baselines']),
        tuple(content['seeds']),
        content['metric'],
        tuple(content.get('beside', ())),
    )


def _read_arm(path: Path, name: str, arm: dict) -> Arm:
    _check_keys(path, f'arm {name!r}', arm, {'title', 'config'}, ARM_SETTINGS)
    config = (path.parent / arm.pop('config')).resolve()
    return Arm(name, config=config, **arm)


def _check_keys(
    path: Path, what: str, found: dict, required: set, known: set
) -> None:
    missing = sorted(k for k in required if found.get(k) in (None, [], {}))
    if missing:
        raise UsageError(f'{path}: {what} lacks {", ".join(missing)}')
    unknown = sorted(set(found) - known)
    if unknown:
        raise UsageError(
            f'{path}: {what} has no setting {", ".join(unknown)}; known are '
            f'{", ".join(sorted(known))}'
        )


def _check_lists(path: Path, content: dict) -> None:
    for key in ('baselines', 'seeds'):
        value = content[key]
        if not isinstance(value, list):
            raise UsageError(
                f'{path}: {key}={value!r} is no list: write {key} = '
                f'[{value!r}]'
            )


def _check_baselines(path: Path, content: dict) -> None:
    unknown = set(content['baselines']) - set(content['arms'])
    if unknown and not content.get('beside'):
        raise UsageError(
            f'{path}: {", ".join(sorted(unknown))} in baselines is no arm of '
            f'the plan: choose of {", ".join(content["arms"])}'
        )


def make_config(run: Run, work_dir: Path) -> Config:
    """Make the config of a run.

    Args:
        run (Run): The run.
        work_dir (Path): Where it writes.

    Returns:
        Config: The config of the arm, with seed and work folder, and with
        the hook for the times in its record.
    """
    cfg = load_config(str(run.arm.config), run.arm.overrides)
    cfg.randomness = dict(seed=run.seed)
    cfg.work_dir = str(work_dir)
    summary = dict(type='mlfm_mm.EpochSummaryHook')
    cfg.default_hooks = {
        'epoch_summary': summary,
        **(cfg.get('default_hooks') or {}),
    }
    if cfg.get('load_from'):
        # Pretrained once a seed, in another plan.
        cfg.load_from = cfg.load_from.format(seed=run.seed)
    return cfg


def fingerprint(cfg: Config) -> str:
    """Hash the settings that determine a trained network.

    Args:
        cfg (Config): The config of a run.

    Returns:
        str: Twelve hex digits that change with network, data, optimizer and
        schedule, but not with the seed or the path of the data.

    Example:
        >>> here, there = (dict(data_root=name, lr=1) for name in 'ab')
        >>> fingerprint(Config(dict(model=here))) == fingerprint(
        ...     Config(dict(model=there))
        ... )
        True
    """
    parts = {key: cfg.get(key) for key in RECIPE}
    text = json.dumps(_without_places(parts), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _without_places(part: object) -> object:
    if isinstance(part, dict):
        return {
            key: _without_places(value)
            for key, value in part.items()
            if key not in PLACES
        }
    if isinstance(part, (list, tuple)):
        return [_without_places(value) for value in part]
    return part
