"""A gate that keeps what it reads, and is computed again to go backward.

Autograd would keep what the convolution and the activation return, which are
of the trunk's many channels.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor
from torch.autograd import Function

from .batch_norm import (
    Moments,
    broadcast,
    count,
    is_plain,
    normalize,
    normalize_backward,
    record,
    scaled,
)
from .checks import refuse_second_derivative
from .matrices import columns_of, mix, products

Gradient = Tensor | None


def open_gate(gate: ConvModule, source: Tensor) -> Tensor:
    """Run a gate, ready to be differentiated once.

    Args:
        gate (ConvModule): Convolution, batch norm and ReLU.
        source (Tensor): What it reads, (N, M, H, W).

    Returns:
        Tensor: Its output, (N, C, H, W).
    """
    source, norm = autocast(source), gate.norm
    learns = source.requires_grad or not norm.training
    form = ImageGate if is_plain(source) and not learns else MemoryGate
    return form.apply(source, gate.conv.weight, norm.weight, norm.bias, norm)


def autocast(source: Tensor) -> Tensor:
    """Bring maps to the precision of convolutions under autocast."""
    device = source.device.type
    if torch.is_autocast_enabled(device):
        return source.to(torch.get_autocast_dtype(device))
    return source


class MemoryGate(Function):
    """A gate as it is written: convolution, batch norm, ReLU."""

    @staticmethod
    def forward(
        ctx: Any,
        source: Tensor,
        kernel: Tensor,
        weight: Tensor,
        bias: Tensor,
        norm: Any,
    ) -> Tensor:
        """Run the gate on maps of shape (N, M, H, W)."""
        x, moments = normalize(_convolve(source, kernel), norm, in_place=True)
        ctx.measured = norm.training
        ctx.save_for_backward(source, kernel, weight, bias, *moments)
        return x.relu_()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Gradient, ...]:
        """Compute the gate again, and differentiate it."""
        refuse_second_derivative()
        source, kernel, weight, bias, *found = ctx.saved_tensors
        moments, x = Moments(*found), _convolve(source, kernel)
        grad = _close(grad, scaled(x, weight, bias, moments))
        grad, d_weight, d_bias = normalize_backward(
            grad, x, weight, moments, ctx.measured
        )
        d_source, d_kernel = _convolve_backward(
            grad, source, kernel, ctx.needs_input_grad[0]
        )
        return d_source, d_kernel, d_weight, d_bias, None


class ImageGate(Function):
    """A gate that measures the few columns it reads, not its many maps.

    With ``c`` the columns less their mean and ``W`` the matrix, the norm goes
    by the variance of ``W c``, which follows from the products of the
    columns. It is part of the matrix then; so it is backward, where what it
    adds to a gradient is a multiple of ``W c``, too. A column of ones stands
    for the norm's shift.
    """

    @staticmethod
    def forward(
        ctx: Any,
        source: Tensor,
        kernel: Tensor,
        weight: Tensor,
        bias: Tensor,
        norm: Any,
    ) -> Tensor:
        """Run the gate on maps of shape (N, M, H, W) that learn nothing."""
        columns, centre = _centred_columns(source, kernel.shape[-1])
        matrix, values = kernel.flatten(1), count(source)
        moments = products(columns, columns)[:-1, :-1] / values
        spread = matrix @ moments
        variance = (matrix * spread).sum(1)
        rstd = record(norm, matrix @ centre, variance, values).rstd
        ctx.save_for_backward(source, kernel, weight, bias, rstd, spread)
        return mix(columns, _folded(matrix, weight * rstd, bias)).relu_()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Gradient, ...]:
        """Compute the gate again, and differentiate it."""
        refuse_second_derivative()
        source, kernel, weight, bias, rstd, spread = ctx.saved_tensors
        matrix, factor = kernel.flatten(1), weight * rstd
        columns, _ = _centred_columns(source, kernel.shape[-1])
        grad = _close(grad, mix(columns, _folded(matrix, factor, bias)))
        d_columns = products(grad, columns)
        d_matrix, d_bias = d_columns[:, :-1], d_columns[:, -1]
        d_weight = rstd * (matrix * d_matrix).sum(1)
        d_matrix = d_matrix - (rstd * d_weight)[:, None] * spread
        d_kernel = (factor[:, None] * d_matrix).view_as(kernel)
        return None, d_kernel, d_weight, d_bias, None


def _centred_columns(source: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Lay patches out as maps less their mean, and a map of ones.

    Returns:
        tuple[Tensor, Tensor]: The maps, and the mean of all but the last.
    """
    columns = columns_of(source, size)
    patches = columns[:, :-1]
    centre = patches.mean((0, 2, 3))
    patches.sub_(broadcast(centre))
    return columns, centre


def _folded(matrix: Tensor, factor: Tensor, shift: Tensor) -> Tensor:
    """Scale the rows of a matrix, and put a column beside it."""
    return torch.cat((factor[:, None] * matrix, shift[:, None]), dim=1)


def _close(grad: Tensor, open_: Tensor) -> Tensor:
    """Differentiate a ReLU by its input, which is overwritten."""
    return torch.ops.aten.threshold_backward.grad_input(
        grad.to(open_.dtype), open_, 0, grad_input=open_
    )


def as_laid_out(low: Tensor, x: Tensor) -> Tensor:
    """Lay a map out in memory as the trunk lays out its own.

    Operators of the trunk may choose other algorithms, of other rounding, by
    the layout.

    Args:
        low (Tensor): The map, of the shape of ``x``.
        x (Tensor): The trunk's feature.

    Returns:
        Tensor: The same values, with the strides of ``x``.
    """
    if low.stride() == x.stride():
        return low
    return torch.empty_like(x).copy_(low)


def _convolve(source: Tensor, kernel: Tensor) -> Tensor:
    size = kernel.shape[-1]
    if size == 1 and source.is_contiguous():
        return mix(source, kernel.flatten(1))
    return F.conv2d(source, kernel.to(source.dtype), padding=size // 2)


def _convolve_backward(
    grad: Tensor, source: Tensor, kernel: Tensor, wants_source: bool
) -> tuple[Gradient, Tensor]:
    """Give the gradients of source and kernel."""
    size = kernel.shape[-1]
    if size == 1 and source.is_contiguous() and grad.is_contiguous():
        matrix = kernel.flatten(1)
        d_source = mix(grad, matrix.t()) if wants_source else None
        return d_source, products(grad, source).view_as(kernel)
    d_source, d_kernel, _ = torch.ops.aten.convolution_backward(
        grad,
        source,
        kernel.to(source.dtype),
        None,
        *([1, 1], [size // 2] * 2, [1, 1]),
        *(False, [0, 0], 1),
        [wants_source, True, False],
    )
    return d_source, d_kernel.to(kernel.dtype)
