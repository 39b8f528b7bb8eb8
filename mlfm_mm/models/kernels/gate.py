"""A gate in few passes over memory, forward and backward.

The norm of a linear map is a linear map: once the moments are known, they go
into the kernel. The same holds backward. What the norm adds to a gradient is
a combination of the columns that the gate reads, so that its share of the
gradients of kernel and source are products of small matrices, and no map of
the gate's many channels is ever made for it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor

from .batch_norm import (
    PRECISE,
    Moments,
    broadcast,
    count,
    mean_of,
    normalize_,
    normalize_backward,
    sum_of,
)
from .matrices import (
    columns_of,
    kernel_of,
    matrix_of,
    mix,
    products,
    sum_of_columns,
)


def gate_forward(gate: ConvModule, source: Tensor) -> tuple[Tensor, Moments]:
    """Run a gate, and tell by which moments.

    Args:
        gate (ConvModule): Convolution, batch norm and ReLU.
        source (Tensor): What it reads, (N, M, H, W).

    Returns:
        tuple[Tensor, Moments]: Its output (N, C, H, W), and what its norm
        went by.
    """
    norm, kernel = gate.norm, gate.conv.weight
    source = autocast(source)
    precise = source.dtype in PRECISE
    mean = None if norm.training else norm.running_mean
    if mean is None and precise and kernel.shape[-1] == 1:
        # The mean of a linear map is the linear map of the mean.
        mean = matrix_of(kernel) @ mean_of(source)
    if mean is None:
        x = _convolve(source, kernel, None)
        mean = mean_of(x)
        x = x.sub_(broadcast(mean)) if precise else x
    else:
        x = _convolve(source, kernel, -mean if precise else None)
    moments = normalize_(x, norm, mean)
    return x.relu_(), moments


def autocast(source: Tensor) -> Tensor:
    """Bring maps to the precision of convolutions under autocast."""
    device = source.device.type
    if torch.is_autocast_enabled(device):
        return source.to(torch.get_autocast_dtype(device))
    return source


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


def _convolve(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    size = kernel.shape[-1]
    if x.device.type == 'cpu' and x.is_contiguous():
        return mix(columns_of(x, size), matrix_of(kernel), bias)
    bias = bias if bias is None else bias.to(x.dtype)
    return F.conv2d(x, kernel.to(x.dtype), bias, padding=size // 2)


class GateBackward:
    """A gate that is recomputed, to be differentiated.

    Args:
        source (Tensor): What it read, (N, M, H, W).
        kernel (Tensor): Its kernel, (C, M, K, K).
        scale (Tensor): Its norm's scale, (C,).
        shift (Tensor): Its norm's shift, (C,).
        moments (Moments): What its norm went by.
        dtype (torch.dtype): The precision in which it ran.
    """

    def __init__(
        self,
        source: Tensor,
        kernel: Tensor,
        scale: Tensor,
        shift: Tensor,
        moments: Moments,
        dtype: torch.dtype,
    ) -> None:
        self.dtype, self.size = source.dtype, kernel.shape[-1]
        self.columns = columns_of(source.to(dtype), self.size)
        self.matrix, self.moments = matrix_of(kernel), moments
        self.scale, self.factor = scale, scale * moments.rstd
        channels, columns = self.matrix.shape
        # Worth it only while the columns are few: else products of all
        # pairs of them cost as much as the maps that they avoid.
        self.few_columns = 2 * columns <= channels
        bias = shift - moments.mean * self.factor
        if self.few_columns:
            folded = self.factor[:, None] * self.matrix
            self.before_relu = mix(self.columns, folded, bias)
        else:
            self.inner = mix(self.columns, self.matrix, None)
            self.before_relu = torch.addcmul(
                broadcast(bias), self.inner, broadcast(self.factor)
            ).to(dtype)

    def backward(
        self, grad: Tensor, measured: bool, wants_source: bool
    ) -> tuple[Tensor | None, ...]:
        """Differentiate the gate.

        Args:
            grad (Tensor): Gradient of the output, (N, C, H, W).
            measured (bool): Whether the norm had measured its moments.
            wants_source (bool): Whether the source needs a gradient.

        Returns:
            tuple[Tensor | None, ...]: Gradients of source, kernel, scale and
            shift.
        """
        # Written where the mask is read, which nobody needs any more.
        open_ = self.before_relu
        grad = torch.ops.aten.threshold_backward.grad_input(
            grad.to(open_.dtype), open_, 0, grad_input=open_
        )
        step = self._by_columns if self.few_columns else self._by_maps
        d_columns, d_matrix, d_scale, d_shift = step(
            grad, measured, wants_source
        )
        d_source = None
        if d_columns is not None:
            d_source = sum_of_columns(d_columns, self.size).to(self.dtype)
        return d_source, kernel_of(d_matrix, self.size), d_scale, d_shift

    def _by_maps(
        self, grad: Tensor, measured: bool, wants_source: bool
    ) -> tuple[Tensor | None, Tensor, Tensor, Tensor]:
        grad, d_scale, d_shift = normalize_backward(
            grad, self.inner, self.scale, self.moments, measured
        )
        d_columns = mix(grad, self.matrix.t(), None) if wants_source else None
        return d_columns, products(grad, self.columns), d_scale, d_shift

    def _by_columns(
        self, grad: Tensor, measured: bool, wants_source: bool
    ) -> tuple[Tensor | None, Tensor, Tensor, Tensor]:
        """Differentiate without a map of what the norm adds.

        With ``c`` the columns less their mean and ``W`` the matrix, the
        gradient in front of the norm is ``factor * (grad + slope * W c +
        offset)``. The last two are products with the few columns.
        """
        mean, rstd = self.moments
        centre = mean_of(self.columns)
        c = self.columns - broadcast(centre).to(self.columns.dtype)
        d_matrix, d_shift = products(grad, c), sum_of(grad)
        residual = self.matrix @ centre - mean
        dot = (self.matrix * d_matrix).sum(1) + residual * d_shift
        d_scale = rstd * dot
        back = (self.factor[:, None] * self.matrix).t()
        d_columns = mix(grad, back, None) if wants_source else None
        if measured:
            slope = (-rstd * d_scale / count(grad))[:, None] * self.matrix
            d_matrix += slope @ products(c, c)
            if d_columns is not None:
                offset = back @ (-d_shift / count(grad))
                d_columns += mix(c, back @ slope, offset)
        else:
            d_matrix += d_shift[:, None] * centre
        return d_columns, self.factor[:, None] * d_matrix, d_scale, d_shift
