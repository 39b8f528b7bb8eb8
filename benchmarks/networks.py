"""The networks that are compared: without memory, with it, with options."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch
import yaml
from mmcv.cnn import fuse_conv_bn
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._pytree import tree_leaves

from mlfm_mm import MLFMNeck
from mlfm_mm.analysis.complexity import dummy, image_channels, memory_of
from mlfm_mm.analysis.export.graph import fold_units
from mlfm_mm.engine import UsageError
from mlfm_mm.engine.errors import message
from mlfm_mm.engine.kinds import dicts, is_kind
from mlfm_mm.engine.models import build_model
from mlfm_mm.engine.options import load_config

BASELINE, MLFM = 'baseline', 'MLFM'
POOLING = 'GlobalAveragePooling'


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

    def build(self, fold_at: tuple[int, int] | None = None) -> nn.Module:
        """Build it, with its norms folded if an image size is given."""
        try:
            model = build_model(self.cfg)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f'{self.name}: {message(error)}') from error
        if fold_at is not None:
            # Some hosts' eval() returns None: calls cannot be chained.
            model.eval()
            fold_norms(self.name, model, fold_at)
        return model


def fold_norms(name: str, model: nn.Module, size: tuple[int, int]) -> None:
    """Fold the norms of a new network, of its units and of its trunk.

    Args:
        name (str): Its name.
        model (nn.Module): The network in evaluation, changed in place.
        size (tuple[int, int]): Height and width of the images to try it on.

    Raises:
        UsageError: mmcv's function, which goes by the order of modules, would
            make another network of it.
    """
    for norm in model.modules():
        if isinstance(norm, _BatchNorm) and norm.running_mean is not None:
            # One that changes nothing yet could be folded into anything.
            norm.running_mean.fill_(-0.5)
    x = dummy(model, 1, image_channels(model), size)
    before = _outputs(model, x)
    try:
        fold_units(model)
        fuse_conv_bn(model)
        gap = (_outputs(model, x) - before).abs().max() / before.abs().max()
    except (AttributeError, RuntimeError, TypeError):
        # A norm without moments, or a part that the network misses.
        gap = torch.tensor(torch.inf)
    if not gap < 1e-3:
        raise UsageError(
            f'{name}: its norms cannot be folded by mmcv, which takes each '
            'for that of the convolution before it: measure it without '
            '"folded"'
        )


@torch.no_grad()
def _outputs(model: nn.Module, x: Tensor) -> Tensor:
    found = [out for out in tree_leaves(model(x)) if torch.is_tensor(out)]
    return torch.cat([out.flatten() for out in found])


@dataclass(frozen=True)
class Group:
    """Networks that are measured in turns; ratios are to the first."""

    name: str
    arms: list[Arm]

    def image_channels(self) -> int:
        """Build all networks, and see how many channels the images have."""
        channels = [image_channels(arm.build()) for arm in self.arms]
        return channels[0]


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
    name = names_of([*cfgs, *([baseline] if baseline else [])])
    own = [p for p in cfgs if baseline is None and neck_of(cfgs[p].model)]
    groups = [make_group(name[p], cfgs[p], options) for p in own]
    rest = [Arm(name[p], cfgs[p]) for p in cfgs if p not in own]
    if baseline is not None:
        others = [arm for arm in rest if arm.name != name[baseline]]
        if not others:
            raise UsageError(
                f'--baseline {baseline} is compared with nothing: give '
                'another config, too'
            )
        rest = [Arm(name[baseline], load_config(baseline)), *others]
    return [*groups, *([Group('networks', rest)] if rest else [])]


def names_of(paths: Sequence[str]) -> dict[str, str]:
    """Name configs by their files, with folders where these are alike.

    Example:
        >>> list(names_of(['base/a.py', 'mlfm/a.py']).values())
        ['base/a', 'mlfm/a']
    """
    parts = {p: Path(p).resolve().with_suffix('').parts for p in paths}
    for depth in count(1):
        names = {
            path: '/'.join(found[-depth:]) for path, found in parts.items()
        }
        if len({*names.values()}) == len({*parts.values()}):
            break
    return names


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
    memory = memory_of(Arm(MLFM, cfg).build())
    assert memory is not None
    pools = any(type(m).__name__ == POOLING for m in memory.modules())
    baseline.model = without_memory(cfg.model, pools)
    arms = [Arm(BASELINE, baseline), Arm(MLFM, cfg)]
    for option in dict.fromkeys(options):
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


def without_memory(model: dict, pools: bool) -> dict:
    """Take the MLFMNeck out of a copy of a model's config.

    The neck that it wraps stays; without one, a classifier gets pooling where
    it has it with memory, too: some backbones pool by themselves.

    Args:
        model (dict): The settings, which are not changed.
        pools (bool): Whether an MLFMNeck that is given no neck chose pooling.

    Returns:
        dict: The copy.

    Example:
        >>> neck = dict(type='mlfm_mm.MLFMNeck')
        >>> without_memory(dict(type='ImageClassifier', neck=neck), True)
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
    elif following is None and pools:
        changed['neck'] = dict(type=POOLING)
    else:
        del changed['neck']
    return changed
