"""A network built outside of a Runner, and what a Runner holds."""

from __future__ import annotations

import copy

from mmengine.config import Config
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import Runner
from torch import Tensor, nn

from .distributed import replace_sync_bn
from .memory import check_kept


def build_model(cfg: Config, device: str | None = None) -> BaseModel:
    """Build the network of a config in its library's scope.

    Args:
        cfg (Config): The config, which stays as it is; its
            ``default_scope`` says in whose registry the names are looked up.
        device (str, optional): Where it is to predict: it is moved there and
            set to evaluation, and on a CPU, SyncBN is replaced. Defaults to
            None, which leaves it as built.

    Returns:
        BaseModel: The network, with its initial weights.

    Raises:
        UsageError: The host has replaced the memory that the config names.

    Example:
        >>> head = dict(type='mmpretrain.LinearClsHead', num_classes=2)
        >>> build_model(Config(dict(model=dict(head, in_channels=3)))).fc
        Linear(in_features=3, out_features=2, bias=True)
    """
    cfg = copy.deepcopy(cfg)
    if device == 'cpu':
        replace_sync_bn(cfg)
    if cfg.get('data_preprocessor'):
        cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope')):
        model = MODELS.build(cfg.model)
    check_kept(model, cfg.model)
    if device is not None:
        # Some hosts' eval() returns nothing, so that calls cannot be chained.
        model.to(device)
        model.eval()
    return model


def unwrapped(model: nn.Module) -> nn.Module:
    """Get the network within a wrapper for several processes."""
    return model.get_submodule('module') if is_model_wrapper(model) else model


def local_parts(value: object) -> list[Tensor]:
    """List what this process holds of a value in a state, if it is a tensor.

    FSDP's sharded kind can be looked at by its parts only.
    """
    if hasattr(value, 'local_shards'):
        return [shard.tensor for shard in value.local_shards()]
    return [value] if isinstance(value, Tensor) else []


def optim_wrappers(runner: Runner) -> list[OptimWrapper]:
    """List the optimizer wrappers of a run, which may be one or several."""
    found = runner.optim_wrapper
    several = isinstance(found, OptimWrapperDict)
    return list(found.values()) if several else [found]
