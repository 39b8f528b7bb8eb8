"""A gate that saves only its input, and is recomputed in the backward pass.

Plain autograd would save what the convolution and the activation return, which
have the trunk's many channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor, nn
from torch.amp import custom_bwd, custom_fwd
from torch.autograd import Function
from torch.nn.modules.batchnorm import _BatchNorm

from ..torch_internals import holds, is_vmapped
from .autograd import Context, refuse_second_derivative
from .batch_norm import (
    Moments,
    is_plain,
    normalize,
    normalize_backward,
    record,
    scaled,
)

Gradient = Tensor | None
# The smallest part of a variance that single precision measures well.
CANCELLED = 1e-3


def choose_gate(gate: ConvModule, source: Tensor) -> type[Function]:
    """Choose how to run a gate.

    Args:
        gate (ConvModule): Convolution, batch norm and ReLU.
        source (Tensor): What it reads, (N, M, H, W).

    Returns:
        type[Function]: What to apply to the source and the parts of
        :func:`parts_of`.
    """
    learns = source.requires_grad or not gate.norm.training
    return ImageGate if is_plain(source) and not learns else MemoryGate


def parts_of(gate: ConvModule) -> tuple[Tensor | nn.Module, ...]:
    """List kernel, scale, shift and norm of a gate."""
    norm = gate.norm
    return gate.conv.weight, norm.weight, norm.bias, norm


class MemoryGate(Function):
    """A gate, step by step: convolution, batch norm, ReLU."""

    @staticmethod
    @custom_fwd(device_type='cpu')
    def forward(
        ctx: Context,
        source: Tensor,
        kernel: Tensor,
        weight: Tensor,
        bias: Tensor,
        norm: _BatchNorm,
    ) -> Tensor:
        """Run the gate on maps of shape (N, M, H, W)."""
        x = F.conv2d(source, kernel.to(source.dtype), padding=_padding(kernel))
        x, moments = normalize(x, norm, in_place=True)
        ctx.measured = norm.training
        ctx.save_for_backward(source, kernel, weight, bias, *moments)
        return x.relu_()

    @staticmethod
    @custom_bwd(device_type='cpu')
    def backward(ctx: Context, grad: Tensor) -> tuple[Gradient, ...]:
        """Recompute the gate and differentiate it."""
        refuse_second_derivative()
        source, kernel, weight, bias, *found = ctx.saved_tensors
        x = F.conv2d(source, kernel.to(source.dtype), padding=_padding(kernel))
        moments = Moments(*found)
        grad = _relu_backward(grad, scaled(x, weight, bias, moments))
        grad, d_weight, d_bias = normalize_backward(
            grad, x, weight, moments, ctx.measured
        )
        wanted = ctx.needs_input_grad[0]
        d_source, d_kernel, _ = _conv_backward(grad, source, kernel, wanted)
        return d_source, d_kernel, d_weight, d_bias, None


class ImageGate(Function):
    """A gate that computes its norm's moments from its input alone.

    With ``c`` the centred patches of the input and ``W`` the kernel, the norm
    needs the variance of ``W c``, which is ``W cov(c) W^T``. So the norm is
    folded into the kernel before it convolves. What the norm contributes to
    the gradient is a multiple of ``W c``, too, so it needs no map either.
    """

    @staticmethod
    @custom_fwd(device_type='cpu')
    def forward(
        ctx: Context,
        source: Tensor,
        kernel: Tensor,
        weight: Tensor,
        bias: Tensor,
        norm: _BatchNorm,
    ) -> Tensor:
        """Run the gate on maps (N, M, H, W) that need no gradient."""
        matrix, size = kernel.flatten(1), kernel.shape[-1]
        centre, products, count = _measure(source, size)
        if _cancels(matrix, products):
            matrix = matrix.double()
            centre, products, count = _measure(source.double(), size)
        mean, spread = matrix @ centre, matrix @ products
        centre, mean, spread, variance = (
            found.to(kernel.dtype)
            for found in (centre, mean, spread, (matrix * spread).sum(1))
        )
        rstd = record(norm, mean, variance, count).rstd
        factor = weight * rstd
        shift = bias - factor * mean
        ctx.save_for_backward(
            source, kernel, rstd, factor, shift, centre, spread
        )
        folded = _fold(kernel, factor)
        return F.conv2d(
            source, folded, shift, padding=_padding(kernel)
        ).relu_()

    @staticmethod
    @custom_bwd(device_type='cpu')
    def backward(ctx: Context, grad: Tensor) -> tuple[Gradient, ...]:
        """Recompute the gate and differentiate it."""
        refuse_second_derivative()
        source, kernel, rstd, factor, shift, centre, spread = ctx.saved_tensors
        folded = _fold(kernel, factor)
        x = F.conv2d(source, folded, shift, padding=_padding(kernel))
        grad = _relu_backward(grad, x)
        _, d_kernel, d_bias = _conv_backward(grad, source, kernel, False)
        d_matrix = d_kernel.flatten(1) - d_bias[:, None] * centre
        d_weight = rstd * (kernel.flatten(1) * d_matrix).sum(1)
        d_matrix -= (rstd * d_weight)[:, None] * spread
        d_kernel = (factor[:, None] * d_matrix).view_as(kernel)
        return None, d_kernel, d_weight, d_bias, None


def _measure(source: Tensor, size: int) -> tuple[Tensor, Tensor, int]:
    """Return mean and covariance of the patches, and their number."""
    patches = F.pad(source, (size // 2,) * 4)
    patches = patches.unfold(2, size, 1).unfold(3, size, 1)
    patches = patches.permute(0, 1, 4, 5, 2, 3).flatten(4).flatten(1, 3)
    centre = patches.mean((0, 2))
    patches = patches - centre[:, None]
    count = len(patches) * patches.shape[2]
    products = torch.bmm(patches, patches.transpose(1, 2)).sum(0)
    return centre, products / count, count


def _cancels(matrix: Tensor, products: Tensor) -> bool:
    """Tell whether a kernel hardly sees most of what varies in its input.

    Such a kernel compares colours, where images are nearly grey: what it sees
    is lost in the rounding of the rest.
    """
    variance = (matrix @ products * matrix).sum(1)
    most = matrix.square().sum(1) * products.trace()
    return holds((variance < CANCELLED * most).any())


def _fold(kernel: Tensor, factor: Tensor) -> Tensor:
    return factor[:, None, None, None] * kernel


def _conv_backward(
    grad: Tensor, source: Tensor, kernel: Tensor, wants_source: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of source, kernel and bias."""
    d_source, d_kernel, d_bias = torch.ops.aten.convolution_backward(
        grad,
        source,
        kernel.to(source.dtype),
        [len(kernel)],
        [1, 1],
        [_padding(kernel)] * 2,
        [1, 1],
        False,
        [0, 0],
        1,
        [wants_source, True, True],
    )
    return d_source, d_kernel.to(kernel.dtype), d_bias


def _padding(kernel: Tensor) -> int:
    return kernel.shape[-1] // 2


def _relu_backward(grad: Tensor, x: Tensor) -> Tensor:
    """Differentiate a ReLU, given its input, which is overwritten."""
    grad = grad.to(x.dtype)
    if is_vmapped(grad):
        return torch.ops.aten.threshold_backward(grad, x, 0)
    return torch.ops.aten.threshold_backward.grad_input(
        grad, x, 0, grad_input=x
    )


def cast_for_convolution(source: Tensor) -> Tensor:
    """Cast maps to the dtype of convolutions under autocast."""
    device = source.device.type
    # PyTorch leaves double precision alone.
    if torch.is_autocast_enabled(device) and source.dtype != torch.float64:
        return source.to(torch.get_autocast_dtype(device))
    return source


def as_laid_out(low: Tensor, x: Tensor) -> Tensor:
    """Give a map the memory format of the trunk's feature.

    Operators of the trunk may choose another algorithm, which rounds
    differently, for another format.

    Args:
        low (Tensor): The map, of the shape of ``x``.
        x (Tensor): The trunk's feature.

    Returns:
        Tensor: The same values, with the strides of ``x``.
    """
    if low.stride() == x.stride():
        return low
    return torch.empty_like(x).copy_(low)
