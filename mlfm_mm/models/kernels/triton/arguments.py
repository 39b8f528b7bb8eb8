"""A memory unit's tensors and options, as arguments of the operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ...fuse import Affine, gates_of
from ..gate import cast_for_convolution
from ..haar import is_haar_descent
from .launch import Form, Gates, Tensors, Vectors

if TYPE_CHECKING:
    from ...lfmu import LFMU


def form_of(unit: LFMU) -> Form:
    """Return the options of a unit."""
    norm, forget = unit.output_gate, unit.forget_gate
    return Form(
        # A folded norm has no moments to measure.
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
    """Collect the gates of a unit.

    Args:
        unit (LFMU): The unit.
        memory (Tensor): What the input gate reads.
        image (Tensor, optional): What the supplement gate reads.
        moments (Sequence[Tensor], optional): Mean and variance for each
            norm; the running ones when None. Defaults to None.

    Returns:
        Gates: The gates.
    """
    kernels, norms, eps = Tensors(), Vectors(), list[float]()
    for i, gate in enumerate(gates_of(unit)):
        if gate.conv.bias is None:
            vectors, some = vectors_of(gate.norm)
        else:
            vectors, some = [None, None, None, gate.conv.bias], 0.0
        if moments is not None:
            vectors[:2] = moments[2 * i : 2 * i + 2]
        kernels.append(gate.conv.weight)
        norms += vectors
        eps.append(some)
    return Gates(
        sources_of(unit, memory, image), kernels, norms, eps, dtype_of(memory)
    )


def sources_of(unit: LFMU, memory: Tensor, image: Tensor | None) -> Tensors:
    """List the inputs of a unit's gates."""
    if unit.supplement_gate is None:
        return [memory]
    assert image is not None
    return [memory, image]


def dtype_of(memory: Tensor) -> torch.dtype:
    """Return the dtype of the gates' convolutions."""
    return cast_for_convolution(memory[:0]).dtype


def vectors_of(norm: nn.Module | None) -> tuple[Vectors, float]:
    """Return mean, variance, weight and bias of a norm, and its eps."""
    if isinstance(norm, Affine):  # a folded norm
        return [None, None, norm.weight, norm.bias], 0.0
    assert isinstance(norm, _BatchNorm)
    running = norm.running_mean, norm.running_var
    return [*running, norm.weight, norm.bias], norm.eps
