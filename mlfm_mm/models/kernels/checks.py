"""Which units the kernels support."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn.modules.batchnorm import _BatchNorm

from ..fuse import (
    Affine,
    gates_of,
    has_moments,
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


class Context(FunctionCtx):
    """What a function saves for its backward pass."""

    measured: bool
    shape: torch.Size
    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]


def refuse_second_derivative() -> None:
    """Refuse to be differentiated a second time, in a backward pass.

    Raises:
        RuntimeError: It is to be recorded, for a second derivative.
    """
    if torch.is_grad_enabled():
        raise RuntimeError(
            'A second derivative (create_graph=True) was asked of an LFMU, '
            'whose kernels can be differentiated once only: build the unit, '
            'or MLFMNeck, with kernels=False.'
        )


def _is_usual_norm(norm: nn.Module | None) -> bool:
    # Not only BatchNorm2d: mmengine's revert_sync_batchnorm makes its own.
    return (
        isinstance(norm, _BatchNorm)
        and has_moments(norm)
        and (type(norm).forward is _BatchNorm.forward or _is_alone(norm))
    )


def _is_alone(norm: nn.Module) -> bool:
    """Tell whether this is a SyncBN in a process group of one."""
    if type(norm).forward is not nn.SyncBatchNorm.forward:
        return False
    assert isinstance(norm, nn.SyncBatchNorm)
    synced = norm.training and dist.is_available() and dist.is_initialized()
    return not synced or dist.get_world_size(norm.process_group) == 1
