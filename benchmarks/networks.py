"""The networks that are compared: without memory, with it, with options."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import nn

from mlfm_mm import MLFMNeck
from mlfm_mm.analysis.complexity import image_channels
from mlfm_mm.analysis.export.graph import fold_norms
from mlfm_mm.engine import UsageError
from mlfm_mm.engine.kinds import bare_name, dicts, is_kind
from mlfm_mm.engine.models import build_model
from mlfm_mm.engine.options import load_config

BASELINE, MLFM = 'baseline', 'MLFM'


@dataclass(frozen=True)
class Arm:
    """A network, to be built from its config as often as needed.

    Args:
        name (str): ``'baseline'``, ``'MLFM'``, the option of the neck that
            differs, or the name of a config.
        cfg (Config): Its config.
    """

    name: str
    cfg: Config

    def build(self, folded: bool = False) -> nn.Module:
        """Build it, with its norms folded if asked."""
        try:
            model = build_model(self.cfg)
        except (TypeError, ValueError) as error:
            raise UsageError(f'{self.name}: {error}') from error
        if folded:
            # Some hosts' eval() returns None: calls cannot be chained.
            model.eval()
            fold_norms(model)
        return model


@dataclass(frozen=True)
class Group:
    """Networks that are measured in turns; ratios are to the first."""

    name: str
    arms: list[Arm]

    def image_channels(self) -> int:
        """Find out how many channels the images have."""
        return image_channels(self.arms[0].build())


def make_groups(
    paths: Sequence[str], baseline: str | None, options: Sequence[str]
) -> list[Group]:
    """Group the networks that are compared with each other.

    Args:
        paths (Sequence[str]): Config files.
        baseline (str, optional): A config that all are compared with, as
            they are. None: each with a memory is compared with itself
            without it, and the others with the first of them.
        options (Sequence[str]): See :func:`make_group`.

    Returns:
        list[Group]: The groups.
    """
    cfgs = {path: load_config(path) for path in paths}
    own = [p for p in cfgs if baseline is None and neck_of(cfgs[p].model)]
    groups = [make_group(Path(p).stem, cfgs[p], options) for p in own]
    rest = [Arm(Path(p).stem, cfgs[p]) for p in cfgs if p not in own]
    if baseline is not None:
        rest.insert(0, Arm(Path(baseline).stem, load_config(baseline)))
    return [*groups, *([Group('networks', rest)] if rest else [])]


def make_group(name: str, cfg: Config, options: Sequence[str] = ()) -> Group:
    """Set a network with memory beside the same one without.

    Args:
        name (str): The name of the network.
        cfg (Config): Its config, with an ``MLFMNeck``.
        options (Sequence[str]): Options of the neck, each of the form
            ``KEY=VALUE``, or several with ``+`` between them; each makes an
            arm. Defaults to none.

    Returns:
        Group: The network without memory, with it, and with each option.
    """
    baseline = copy.deepcopy(cfg)
    baseline.model = without_memory(cfg.model)
    arms = [Arm(BASELINE, baseline), Arm(MLFM, cfg)]
    for option in options:
        changed = copy.deepcopy(cfg)
        for pair in option.split('+'):
            key, equals, value = pair.partition('=')
            if not equals:
                raise UsageError(
                    f'--arms {option}: give options of MLFMNeck as '
                    'KEY=VALUE, such as with_cp=True'
                )
            neck = neck_of(changed.model)
            assert neck is not None
            neck[key] = yaml.safe_load(value)
        arms.append(Arm(option, changed))
    return Group(name, arms)


def vary(group: Group, keys: Sequence[str], value: Any) -> Group:
    """Set options of all backbones, and remove heads, which would not fit."""
    arms = []
    for arm in group.arms:
        cfg = copy.deepcopy(arm.cfg)
        cfg.model.backbone.update(dict.fromkeys(keys, value))
        if 'head' in cfg.model:
            cfg.model.head = None
        arms.append(Arm(arm.name, cfg))
    return Group(group.name, arms)


def neck_of(model: dict) -> dict | None:
    """Find the MLFMNeck in a model's config, if it has one."""
    necks = dicts(model.get('neck'))
    return next((n for n in necks if is_kind(n, MLFMNeck, MODELS)), None)


def without_memory(model: dict) -> dict:
    """Take the MLFMNeck out of a copy of a model's config.

    The neck that it wraps stays; without one, a classifier gets pooling, as
    it does with memory.

    Example:
        >>> neck = dict(type='mlfm_mm.MLFMNeck')
        >>> without_memory(dict(type='ImageClassifier', neck=neck))
        {'type': 'ImageClassifier', 'neck': {'type': 'GlobalAveragePooling'}}
    """
    changed = copy.deepcopy(dict(model))
    neck, memory = changed['neck'], neck_of(changed)
    assert memory is not None
    following = memory.get('neck')
    if isinstance(neck, list | tuple) and len(neck) > 1:
        index, rest = neck.index(memory), [following] if following else []
        changed['neck'] = [*neck[:index], *rest, *neck[index + 1 :]]
    elif following:
        changed['neck'] = following
    elif following is None and bare_name(model).endswith('Classifier'):
        changed['neck'] = dict(type='GlobalAveragePooling')
    else:
        del changed['neck']
    return changed
