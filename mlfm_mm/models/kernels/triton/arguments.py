"""What a memory unit comes down to, in the way the operators take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ...fuse import Affine, gates_of
from ..gate import autocast
from ..haar import is_haar_descent
from .launch import Form, Gates, Tensors, Vectors

if TYPE_CHECKING:
    from ...lfmu import LFMU


def form_of(unit: LFMU) -> Form:
    """Tell what kind of unit it is."""
    norm, forget = unit.output_gate, unit.forget_gate
    return Form(
        # What a norm was folded to measures nothing.
        measured=isinstance(norm, _BatchNorm) and norm.training,
        identity=unit.identity_init,
        concat=unit.update == 'concat',
        step=2 if is_haar_descent(forget) and forget.levels == 1 else 1,
    )


def gates_by(
    unit: LFMU,
    memory: Tensor,
    image: Tensor | None,
    moments: Sequence[Tensor] | None = None,
) -> Gates:
    """Prepare the gates of a unit.

    Args:
        unit (LFMU): The unit.
        memory (Tensor): What the input gate reads.
        image (Tensor, optional): What the supplement gate reads.
        moments (Sequence[Tensor], optional): Mean and variance that each
            norm is to go by; the running ones when None. Defaults to None.

    Returns:
        Gates: The gates.
    """
    kernels, norms, eps = Tensors(), Vectors(), list[float]()
    for i, gate in enumerate(gates_of(unit)):
        # A gate folded for good is a convolution itself.
        conv = gate if isinstance(gate, nn.Conv2d) else gate.conv
        if conv.bias is None:
            vectors, some = vectors_of(gate.norm)
        else:
            vectors, some = [None, None, None, conv.bias], 0.0
        if moments is not None:
            vectors[:2] = moments[2 * i : 2 * i + 2]
        kernels.append(conv.weight)
        norms += vectors
        eps.append(some)
    return Gates(
        sources_of(unit, memory, image), kernels, norms, eps, dtype_of(memory)
    )


def sources_of(unit: LFMU, memory: Tensor, image: Tensor | None) -> Tensors:
    """List what the gates of a unit read."""
    if unit.supplement_gate is None:
        return [memory]
    assert image is not None
    return [memory, image]


def dtype_of(memory: Tensor) -> torch.dtype:
    """Tell the precision of the gates' products."""
    return autocast(memory[:0]).dtype


def vectors_of(norm: nn.Module | None) -> tuple[Vectors, float]:
    """Give mean, variance, weight and bias of a norm, and its eps."""
    if isinstance(norm, Affine):  # what is left of a norm that was folded
        return [None, None, norm.weight, norm.bias], 0.0
    assert isinstance(norm, _BatchNorm)
    running = norm.running_mean, norm.running_var
    return [*running, norm.weight, norm.bias], norm.eps
