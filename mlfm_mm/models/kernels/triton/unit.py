"""A memory unit as a few launches, in inference and in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ...fuse import gates_of
from ...torch_internals import is_vmapped
from ..autograd import Context as Saved
from ..autograd import refuse_second_derivative
from .arguments import (
    Form,
    Gates,
    dtype_of,
    form_of,
    gates_by,
    sources_of,
    vectors_of,
)
from .launch import Tensors, Vectors, is_one_block
from .operators import (
    close_gates,
    close_trunk,
    finish_moments,
    measure_gates,
    normalize,
    open_gates,
    sum_norm,
)

if TYPE_CHECKING:
    from ...lfmu import LFMU

Gradient = Tensor | None


def infer(
    unit: LFMU, x: Tensor, memory: Tensor, image: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Run a unit in evaluation and save nothing: a :data:`Form`."""
    form, gates = form_of(unit), gates_by(unit, memory, image)
    norm, eps = vectors_of(unit.output_gate)
    x, memory, _ = open_gates(x, *gates, *form, norm, eps, [])
    return x, memory if form.step > 1 else unit.forget_gate(memory)


def train(
    unit: LFMU, x: Tensor, memory: Tensor, image: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Run a unit so that it can be differentiated once: a :data:`Form`."""
    norm = unit.output_gate
    assert isinstance(norm, _BatchNorm)
    weights = [norm.weight, norm.bias]
    for gate in gates_of(unit):
        weights += [gate.conv.weight, gate.norm.weight, gate.norm.bias]
    x, memory = FusedUnit.apply(unit, x, memory, image, *weights)
    folded = form_of(unit).step > 1
    return x, memory if folded else unit.forget_gate(memory)


class Context(Saved):
    """What the unit saves for its backward pass."""

    form: Form
    eps: list[float]
    dtype: torch.dtype
    sources: int


class FusedUnit(torch.autograd.Function):
    """The unit as one autograd function.

    The forget gate is part of it if the kernels support that gate. Inputs are
    the unit, feature, memory and image, then scale and shift of the output
    gate, then kernel, scale and shift of each gate. Saved for the backward
    pass are the memory, the image, the output gate's input, and vectors.
    """

    @staticmethod
    def forward(
        ctx: Context,
        unit: LFMU,
        x: Tensor,
        memory: Tensor,
        image: Tensor | None,
        *weights: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Run the unit, and save what the backward pass needs."""
        form, last = form_of(unit), unit.output_gate
        assert isinstance(last, _BatchNorm)
        moments = _measure_gates(unit, memory, image)
        gates = gates_by(unit, memory, image, moments)
        norm, eps = vectors_of(last)
        batches = [last.num_batches_tracked] if form.measured else []
        total, new, shares = open_gates(x, *gates, *form, [], eps, batches)
        if form.measured:
            norm[:2] = _finish(shares, [last])
        out = normalize(total, x if form.identity else None, norm, eps)
        ctx.form, ctx.dtype = form, gates.dtype
        ctx.sources, ctx.eps = len(gates.sources), [eps, *gates.eps]
        used = norm[:2]
        for i in range(ctx.sources):
            used += gates.norms[4 * i : 4 * i + 2]
        vectors = [v for v in used if v is not None]
        ctx.save_for_backward(total, *gates.sources, *vectors, *weights)
        ctx.set_materialize_grads(False)
        return out, new if new.numel() else total

    @staticmethod
    def backward(
        ctx: Context, d_out: Gradient, d_memory: Gradient
    ) -> tuple[Gradient, ...]:
        """Recompute the gates, and differentiate from last to first."""
        refuse_second_derivative()
        wanted = ctx.needs_input_grad
        _refuse_several(d_out, d_memory)
        if d_out is None and d_memory is None:
            return (None,) * len(wanted)
        total, norm, gates = _restore(ctx)
        last = norm, ctx.eps[0]
        d_affine: list[Gradient] = [None, None]
        sums: Gradient = None
        if d_out is not None:
            sums = sum_norm(d_out, total, *last).sum(1)
            d_affine = [sums[1], sums[0]]
        d_x, d_low, shares = close_trunk(
            d_out, d_memory, total, *last, sums, *gates, *ctx.form
        )
        d_norms = shares.sum(1)
        # If the image needs no gradient, as usual, the supplement gate's
        # gradient map need not be written.
        with_kernel = not wanted[3] and is_one_block(gates.kernels[-1])
        with_kernel &= ctx.sources > 1
        *d_convs, d_kernels = close_gates(
            d_low if d_low.numel() else d_x,
            *gates,
            d_norms,
            ctx.form.measured,
            with_kernel,
        )
        d_sources: list[Gradient] = [None, None]
        d_weights: list[Gradient] = []
        for i in range(ctx.sources):
            if i and with_kernel:
                d_kernel = d_kernels.sum(0)
            else:
                asked = wanted[2 + i], wanted[6 + 3 * i]
                d_sources[i], d_kernel = _convolution_backward(
                    d_convs[i], gates.sources[i], gates.kernels[i], asked
                )
            d_weights += [d_kernel, d_norms[2 * i + 1], d_norms[2 * i]]
        return None, d_x, *d_sources, *d_affine, *d_weights


def _refuse_several(*grads: Gradient) -> None:
    """Refuse gradients batched by vmap, which a kernel cannot read."""
    if any(grad is not None and is_vmapped(grad) for grad in grads):
        raise RuntimeError(
            'Several gradients at once (is_grads_batched=True, '
            'vectorize=True) were asked of an LFMU, whose kernels for GPUs '
            'give one at a time: build the unit, or MLFMNeck, with '
            'kernels=False.'
        )


def _measure_gates(
    unit: LFMU, memory: Tensor, image: Tensor | None
) -> list[Tensor] | None:
    """Return mean and variance of each gate, None if not in training."""
    gates = gates_of(unit)
    norms = [gate.norm for gate in gates]
    if not norms[0].training:
        return None
    shares = measure_gates(
        sources_of(unit, memory, image),
        [gate.conv.weight for gate in gates],
        dtype_of(memory),
        [norm.num_batches_tracked for norm in norms],
    )
    return _finish(shares, norms)


def _finish(shares: Tensor, norms: Sequence[_BatchNorm]) -> list[Tensor]:
    """Reduce shares, update running moments; return mean, variance, ..."""
    running, batches, momenta = Tensors(), Tensors(), list[float]()
    for norm in norms:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        assert norm.num_batches_tracked is not None
        running += [norm.running_mean, norm.running_var]
        batches.append(norm.num_batches_tracked)
        momenta.append(-1 if norm.momentum is None else norm.momentum)
    moments = finish_moments(shares, running, batches, momenta)
    return list(moments.flatten(0, 1).unbind())


def _restore(ctx: Context) -> tuple[Tensor, Tensors, Gates]:
    """Unpack the output gate's input and norm, and the gates."""
    count = ctx.sources
    total, *saved = ctx.saved_tensors
    sources, saved = saved[:count], saved[count:]
    moments, weights = saved[: 2 + 2 * count], saved[2 + 2 * count :]
    norms = Vectors()
    for i in range(count):
        norms += moments[2 + 2 * i : 4 + 2 * i]
        norms += weights[3 + 3 * i : 5 + 3 * i]
    gates = Gates(sources, weights[2::3], norms, ctx.eps[1:], ctx.dtype)
    return total, [*moments[:2], *weights[:2]], gates


def _convolution_backward(
    grad: Tensor, source: Tensor, kernel: Tensor, wanted: tuple[bool, bool]
) -> tuple[Gradient, Gradient]:
    """Differentiate a gate's convolution by its input and its kernel."""
    if not any(wanted):
        return None, None
    ones, edge = [1, 1], [kernel.shape[-1] // 2] * 2
    d_source, d_kernel, _ = torch.ops.aten.convolution_backward(
        grad,
        source.to(grad.dtype),
        kernel.to(grad.dtype),
        *(None, ones, edge, ones, False, [0, 0], 1, [*wanted, False]),
    )
    return d_source, d_kernel
