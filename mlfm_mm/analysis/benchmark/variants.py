"""The networks that are compared: without memory, with it, plainly."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from mmcv.cnn import fuse_conv_bn
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import nn

from ...models import MLFMNeck
from .setting import Setting

# What one writes first, kept with the tests of a checkout.
PLAIN = Path(__file__).parents[3] / 'tests/models/plain_unit.py'
# The plain form knows the defaults only.
NOT_PLAIN = ('wavelet', 'norm_cfg', 'act_cfg')
LABELS = {
    'baseline': '{}',
    'mlfm': '{} + MLFM',
    'plain': '{} + MLFM (plain)',
    'with_cp': '{} + MLFM (with_cp)',
}


@dataclass(frozen=True)
class Recipe:
    """A network that can be built as often as one likes.

    Args:
        name (str): Its name for people.
        variant (str): ``'baseline'``, ``'mlfm'``, ``'plain'`` or
            ``'with_cp'``.
        build (Callable): Builds it.
    """

    name: str
    variant: str
    build: Callable[[], nn.Module]


@dataclass
class Arm:
    """A network that was built to be measured.

    Args:
        name (str): Its name for people.
        variant (str): See :class:`Recipe`.
        model (nn.Module): The network.
        folded (bool): Whether its norms are folded. Defaults to False.
    """

    name: str
    variant: str
    model: nn.Module
    folded: bool = False


@dataclass(frozen=True)
class Group:
    """Networks that are measured in turns.

    Args:
        name (str): Its name for people.
        recipes (list[Recipe]): The networks; ratios are to the first.
        notes (list[str]): What was left out, and why.
    """

    name: str
    recipes: list[Recipe]
    notes: list[str]

    def build(self, setting: Setting) -> list[Arm]:
        """Build what a setting asks for.

        Args:
            setting (Setting): The setting.

        Returns:
            list[Arm]: The networks. With folded norms, the first is the
            baseline as it was, the second the baseline with folded norms.
        """
        # Recomputing happens in training only; elsewhere it is plain MLFM.
        recipes = [
            recipe
            for recipe in self.recipes
            if setting.training or recipe.variant != 'with_cp'
        ]
        arms = []
        if setting.folded:
            arms.append(as_arm(recipes[0]))
        arms += [as_arm(recipe, setting.folded) for recipe in recipes]
        return arms


def as_arm(recipe: Recipe, folded: bool = False) -> Arm:
    """Build a network, and fold its norms if asked."""
    model = recipe.build()
    if not folded:
        return Arm(recipe.name, recipe.variant, model)
    name = f'{recipe.name}, folded'
    return Arm(name, recipe.variant, fold(model), folded=True)


def fold(model: nn.Module) -> nn.Module:
    """Fold norms into the convolutions before them, for inference.

    Args:
        model (nn.Module): The network; a folding of its neck's own, a method
            ``fuse``, goes first.

    Returns:
        nn.Module: A folded copy.
    """
    model = copy.deepcopy(model).eval()
    own = getattr(memory_of(model), 'fuse', None)
    if callable(own):
        own()
    folded: nn.Module = fuse_conv_bn(model)
    return folded


def memory_of(model: nn.Module) -> MLFMNeck | None:
    """Find the memory of a network, if it has one."""
    for module in model.modules():
        if isinstance(module, MLFMNeck):
            return module
    return None


def make_group(
    name: str, cfg: Config, plain: bool = True, with_cp: bool = False
) -> Group:
    """Set a network with memory beside the same one without.

    Args:
        name (str): The name of the network without memory.
        cfg (Config): Its config, with an ``MLFMNeck``.
        plain (bool): Whether to add the plain formulation of the memory.
            Defaults to True.
        with_cp (bool): Whether to add the network that recomputes its units
            in the backward pass. Defaults to False.

    Returns:
        Group: The networks.
    """
    host, scope = cfg.model, cfg.get('default_scope')
    builders = {
        'baseline': lambda: build(without_memory(host), scope),
        'mlfm': lambda: build(host, scope),
    }
    notes = []
    if plain:
        obstacle = plain_obstacle(host)
        if obstacle:
            notes.append(f'{name}: no plain formulation, {obstacle}')
        else:
            builders['plain'] = lambda: build_plain(host, scope)
    if with_cp:
        options = dict(with_cp=True)
        builders['with_cp'] = lambda: build(with_options(host, options), scope)
    recipes = [
        Recipe(LABELS[variant].format(name), variant, builder)
        for variant, builder in builders.items()
    ]
    return Group(name, recipes, notes)


def plain_recipe(name: str, cfg: Config) -> Recipe:
    """Take a network as its config describes it."""
    scope = cfg.get('default_scope')
    return Recipe(name, 'baseline', lambda: build(cfg.model, scope))


def build(host: dict, scope: str | None) -> nn.Module:
    """Build a model in its library's scope."""
    with DefaultScope.overwrite_default_scope(scope):
        model: nn.Module = MODELS.build(copy.deepcopy(host))
    return model


def build_plain(host: dict, scope: str | None) -> nn.Module:
    """Build a network with the plain formulation of its memory."""
    model = build(host, scope)
    plain: nn.Module = load_plain().add_plain_memory(
        build(without_memory(host), scope), model
    )
    return plain


def plain_obstacle(host: dict) -> str | None:
    """Say why a network has no plain formulation, if it has none."""
    if not PLAIN.is_file():
        return 'which is kept in tests/ of a checkout'
    if len(necks_of(host)) > 1:
        return 'which does not know lists of necks'
    odd = [key for key in NOT_PLAIN if key in neck_of(host)]
    if odd:
        return f'which does not know the option {", ".join(odd)}'
    return None


def load_plain() -> ModuleType:
    """Import the plain formulation from the tests."""
    spec = spec_from_file_location('mlfm_mm_plain_unit', PLAIN)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    # Compilers import it again by its name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def is_memory(neck: Any) -> bool:
    """Tell whether a config of a neck is that of an MLFMNeck."""
    kind = neck.get('type', '') if isinstance(neck, dict) else ''
    name = kind if isinstance(kind, str) else kind.__name__
    return name.split('.')[-1] == 'MLFMNeck'


def necks_of(host: dict) -> list[Any]:
    """List the necks of a model's config."""
    neck = host.get('neck')
    return list(neck) if isinstance(neck, (list, tuple)) else [neck]


def has_memory(host: dict) -> bool:
    """Tell whether a model's config has an MLFMNeck."""
    return any(is_memory(neck) for neck in necks_of(host))


def neck_of(host: dict) -> dict:
    """Find the MLFMNeck in a model's config."""
    return next(neck for neck in necks_of(host) if is_memory(neck))


def with_options(host: dict, options: dict) -> dict:
    """Change options of the MLFMNeck in a copy of a model's config."""
    changed = copy.deepcopy(host)
    neck_of(changed).update(options)
    return changed


def without_memory(host: dict) -> dict:
    """Take the MLFMNeck out of a copy of a model's config.

    Args:
        host (dict): The model's config.

    Returns:
        dict: The config of the same network without memory: with the neck
        that followed it, or else the pooling that a classifier gets.

    Example:
        >>> neck = dict(type='mlfm_mm.MLFMNeck')
        >>> without_memory(dict(type='ImageClassifier', neck=neck))
        {'type': 'ImageClassifier', 'neck': {'type': 'GlobalAveragePooling'}}
    """
    changed = copy.deepcopy(dict(host))
    necks = necks_of(host)
    following = neck_of(host).get('neck')
    if len(necks) > 1:
        index = necks.index(neck_of(host))
        extra = [] if following is None else [following]
        changed['neck'] = [*necks[:index], *extra, *necks[index + 1 :]]
    elif following is not None:
        changed['neck'] = copy.deepcopy(following)
    elif 'Classifier' in str(host['type']):
        changed['neck'] = dict(type='GlobalAveragePooling')
    else:
        del changed['neck']
    return changed
