"""Which units the kernels support."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..fuse import (
    Affine,
    gates_of,
    is_affine_in_eval,
    is_usual_gate,
    is_watched,
    norms_of,
)
from ..low_pass import ForgetGate

if TYPE_CHECKING:
    from ..lfmu import LFMU

# What runs a unit: of the unit, the trunk's feature (N, C, H, W), the memory
# (N, M, H, W) and, where it has a supplement gate, the low band of the image
# to the trunk's new feature and the memory at the next unit's level.
Form = Callable[['LFMU', Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]


def fits(unit: LFMU, x: Tensor) -> bool:
    """Tell whether a unit is made of batch norms and ReLUs without hooks.

    Args:
        unit (LFMU): The unit.
        x (Tensor): The trunk's feature that it is given.

    Returns:
        bool: Whether the kernels compute what calling its parts does.
    """
    forget = unit.forget_gate
    # Another module may have taken its place.
    if type(forget) is not ForgetGate or is_watched(forget):
        return False
    gates = gates_of(unit)
    if not all(is_usual_gate(gate) for gate in gates):
        return False
    if isinstance(unit.output_gate, Affine):
        return is_inferring(unit) and not is_watched(unit.output_gate)
    norms = norms_of(unit)
    # A gate whose norm was folded, which has a bias, can only infer.
    if len(norms) <= len(gates) and not is_inferring(unit):
        return False
    return (
        all(_is_usual_norm(norm) for norm in norms)
        and len({norm.training for norm in norms if norm is not None}) == 1
        # A single value has no variance; the norm itself raises the error.
        and x.numel() > x.shape[1]
    )


def is_inferring(unit: LFMU) -> bool:
    """Tell whether a unit uses running moments, and records no gradients."""
    if torch.is_grad_enabled():
        return False
    gate = unit.output_gate
    return isinstance(gate, Affine) or not getattr(gate, 'training', True)


def _is_usual_norm(norm: nn.Module | None) -> bool:
    if not is_affine_in_eval(norm):
        return False
    # Not only BatchNorm2d: mmengine's revert_sync_batchnorm makes its own.
    if not isinstance(norm, nn.SyncBatchNorm):
        return True
    # A SyncBN in a process group of one is usual, too.
    synced = norm.training and dist.is_available() and dist.is_initialized()
    return not synced or dist.get_world_size(norm.process_group) == 1
