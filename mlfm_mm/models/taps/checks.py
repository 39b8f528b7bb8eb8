"""Which calls of a dry run can carry a memory unit, and why others cannot."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from .dry_run import Call, DryRun
from .tap import halvings


def level_of(run: DryRun, call: Call) -> int:
    """Count how often the image is halved to reach about a call's map."""
    return halvings(run.reduction(call))


def backbone_name(run: DryRun) -> str:
    """Name the class of the backbone, for messages."""
    return type(run.root.module).__name__


def is_norm(call: Call) -> bool:
    """Tell whether a norm layer was called."""
    return isinstance(call.module, (_NormBase, nn.LayerNorm, nn.GroupNorm))


def refusal(run: DryRun, call: Call) -> str | None:
    """Return why a call cannot carry a unit, or None when it can.

    Args:
        run (DryRun): The record of a dry run.
        call (Call): One of its calls.

    Returns:
        str | None: The reason, to follow the module's name.
    """
    return (
        _not_one_map(run, call)
        or _not_lasting(call)
        or _not_on_the_way(run, call)
    )


def _not_one_map(run: DryRun, call: Call) -> str | None:
    calls = len(run.calls_of(call.name))
    if calls > 1:
        return f'fires {calls} times in one forward pass'
    pooling = pooling_of(call)
    if pooling or call.is_map:
        return pooling
    shape = call.shape or 'several tensors'
    return f'returns {shape} instead of one map (N, C, H, W)'


def pooling_of(call: Call) -> str | None:
    """Return how a call has pooled its map, or None if it has not.

    Args:
        call (Call): A call of a dry run.

    Returns:
        str | None: How, to follow the module's name.
    """
    if len(call.shape) == 4 and call.shape.count(1) == 3:
        return 'has pooled the whole map into one pixel'
    if len(call.shape) == 4 and call.shape == call.larger:
        return 'has pooled the map to a size that ignores the image size'
    return None


def _not_lasting(call: Call) -> str | None:
    if call.idle:
        return 'is a placeholder that does nothing'
    if is_norm(call):
        return 'is a norm layer, which SyncBN conversion and fusing replace'
    if isinstance(call.module, _ConvNd):
        return 'is a bare convolution, into which fusing folds the next norm'
    return None


def _not_on_the_way(run: DryRun, call: Call) -> str | None:
    if not run.flow.reaches_output(call.index):
        return 'has no influence on what the backbone returns'
    if not run.flow.is_learned(call.index):
        return 'is still the image, which no weight has touched'
    return None
