"""A memory unit as one operation, with its backward pass by hand.

Autograd keeps every map between the operations of a unit: two convolutions,
two norms, two activations, a sum. All of them follow from the memory and the
image, which are small, by convolutions that cost little. So only these are
kept, with the map that the output gate normalizes, and the rest is computed
once more when gradients are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ..fuse import gates_of
from ..update import meet_trunk
from .batch_norm import (
    Moments,
    centred,
    mean_of,
    normalize_,
    normalize_backward,
)
from .checks import refuse_second_derivative
from .gate import GateBackward, as_laid_out, gate_forward
from .haar import descend, descend_backward, is_haar_descent

if TYPE_CHECKING:
    from ..lfmu import LFMU

Gradient = Tensor | None


def train(
    unit: LFMU, x: Tensor, memory: Tensor, image: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Run a unit, ready to be differentiated once.

    Args:
        unit (LFMU): A unit of batch norms and ReLUs.
        x (Tensor): Trunk feature of shape (N, C, H, W).
        memory (Tensor): Memory of shape (N, M, H, W).
        image (Tensor, optional): Low band of the image.

    Returns:
        tuple[Tensor, Tensor]: The trunk's new feature, and the memory at the
        next unit's level.
    """
    norm = unit.output_gate
    assert isinstance(norm, _BatchNorm)
    weights = [norm.weight, norm.bias]
    for gate in gates_of(unit):
        weights += [gate.conv.weight, gate.norm.weight, gate.norm.bias]
    x, memory = UnitFunction.apply(unit, x, memory, image, *weights)
    if is_haar_descent(unit.forget_gate):
        return x, memory
    return x, unit.forget_gate(memory)


class UnitFunction(torch.autograd.Function):
    """The unit, without a forget gate that is not Haar's, as one operation.

    Inputs are the unit, feature, memory and image, then scale and shift of
    the output gate, then kernel, scale and shift of each gate.
    """

    @staticmethod
    def forward(
        ctx: Any,
        unit: LFMU,
        x: Tensor,
        memory: Tensor,
        image: Tensor | None,
        *weights: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Run the unit, and keep what the backward pass needs."""
        low, found = gate_forward(unit.input_gate, memory)
        moments = [*found]
        if unit.supplement_gate is not None:
            assert image is not None
            part, found = gate_forward(unit.supplement_gate, image)
            low, moments = low.add_(part), [*moments, *found]
        ctx.gate_dtype = low.dtype
        low = as_laid_out(low.to(x.dtype), x)
        total, new = meet_trunk(x, low, unit.update, unit.identity_init, True)
        norm = unit.output_gate
        assert isinstance(norm, _BatchNorm)
        x_out, last = _normalize(norm, total)
        if unit.identity_init:
            x_out.add_(x)
        ctx.update, ctx.identity_init = unit.update, unit.identity_init
        ctx.measured = norm.training
        ctx.levels, ctx.size = 0, new.shape[2:]
        if is_haar_descent(unit.forget_gate):
            ctx.levels = unit.forget_gate.levels
            new = descend(unit.forget_gate, new)
        ctx.save_for_backward(total, memory, image, *last, *moments, *weights)
        ctx.set_materialize_grads(False)
        return x_out, new

    @staticmethod
    def backward(
        ctx: Any, d_out: Gradient, d_memory: Gradient
    ) -> tuple[Gradient, ...]:
        """Recompute the gates, and differentiate from last to first."""
        refuse_second_derivative()
        wanted = ctx.needs_input_grad
        if d_out is None and d_memory is None:
            return (None,) * len(wanted)
        total, scale, last, gates = _recompute(ctx)
        d_total: Gradient = None
        d_affine: list[Gradient] = [None, None]
        if d_out is not None:
            d_total, *d_affine = normalize_backward(
                d_out, total, scale, last, ctx.measured
            )
        if d_memory is not None and ctx.levels:
            d_memory = descend_backward(d_memory, ctx.size, ctx.levels)
        d_x, d_low = _meet_trunk_backward(ctx, d_out, d_total, d_memory)
        d_sources: list[Gradient] = [None, None]
        d_weights: list[Gradient] = []
        for i, gate in enumerate(gates):
            d_sources[i], *more = gate.backward(
                d_low, ctx.measured, wanted[2 + i]
            )
            d_weights += more
        return None, d_x, *d_sources, *d_affine, *d_weights


def _normalize(norm: _BatchNorm, x: Tensor) -> tuple[Tensor, Moments]:
    mean = mean_of(x) if norm.training else norm.running_mean
    assert mean is not None
    y = centred(x, mean)
    return y, normalize_(y, norm, mean)


def _recompute(
    ctx: Any,
) -> tuple[Tensor, Tensor, Moments, list[GateBackward]]:
    """Give the output gate's input, scale and moments, and the other gates."""
    total, memory, image, *small = ctx.saved_tensors
    sources = [memory, image] if len(small) > 9 else [memory]
    moments, weights = small[2:], small[4 + 2 * len(sources) :]
    gates = []
    for i, source in enumerate(sources):
        kernel, weight, bias = weights[3 * i : 3 * i + 3]
        found = Moments(*moments[2 * i : 2 * i + 2])
        gates.append(
            GateBackward(source, kernel, weight, bias, found, ctx.gate_dtype)
        )
    scale = small[2 + 2 * len(sources)]
    return total, scale, Moments(*small[:2]), gates


def _meet_trunk_backward(
    ctx: Any, d_out: Gradient, d_total: Gradient, d_memory: Gradient
) -> tuple[Any, Any]:
    """Share gradients out to the trunk's feature and to the gates."""
    d_x = d_out if ctx.identity_init else d_total
    if d_memory is None:
        return d_x, d_total
    to_x = to_low = d_memory
    if ctx.update == 'concat':
        to_x, to_low = d_memory.chunk(2, dim=1)
    if d_x is None or d_total is None:
        return to_x, to_low
    if d_x is d_total and to_x is to_low:
        d_total.add_(to_low)
        return d_total, d_total
    return d_x + to_x, d_total + to_low
