"""The network of a config, built outside of a Runner."""

from __future__ import annotations

import copy

from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import nn


def build_model(cfg: Config) -> nn.Module:
    """Build the network of a config in its library's scope.

    Args:
        cfg (Config): The config, which stays as it is; its
            ``default_scope`` says in whose registry the names are looked up.

    Returns:
        nn.Module: The network, with the weights it is born with.

    Example:
        >>> head = dict(type='mmpretrain.LinearClsHead', num_classes=2)
        >>> build_model(Config(dict(model=dict(head, in_channels=3)))).fc
        Linear(in_features=3, out_features=2, bias=True)
    """
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope')):
        model: nn.Module = MODELS.build(copy.deepcopy(cfg.model))
    return model
