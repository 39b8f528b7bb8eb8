"""Batch norm of plain maps on a CPU, in few passes over memory.

PyTorch's CPU kernel is fast in the backward pass, and in the forward pass for
channels last. For contiguous maps it takes several times as long to compute
moments as to read the map. So the mean is subtracted first: then the variance
is a sum of squares, which runs at the speed of memory.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.modules.batchnorm import _BatchNorm

from .autograd import Context, refuse_second_derivative

ALL_BUT_CHANNELS = (0, 2, 3)
PRECISE = (torch.float32, torch.float64)


class Moments(NamedTuple):
    """The moments that a norm uses, for each channel.

    Args:
        mean (Tensor): Mean, of shape (C,).
        rstd (Tensor): One over the standard deviation, of shape (C,).
    """

    mean: Tensor
    rstd: Tensor


def broadcast(values: Tensor) -> Tensor:
    """View one value a channel so that it broadcasts to (N, C, H, W)."""
    return values.view(1, -1, 1, 1)


def is_plain(x: Tensor) -> bool:
    """Tell whether maps are contiguous, and of single or double precision."""
    return x.dtype in PRECISE and x.is_contiguous()


def normalize(
    x: Tensor, norm: _BatchNorm, in_place: bool = False
) -> tuple[Tensor, Moments]:
    """Normalize maps as a batch norm does.

    Args:
        x (Tensor): Maps of shape (N, C, H, W).
        norm (_BatchNorm): The norm, affine and with running statistics.
        in_place (bool): Whether the maps may be overwritten. Defaults to
            False.

    Returns:
        tuple[Tensor, Moments]: The result, and the moments used.

    Example:
        >>> x, norm = torch.randn(2, 3, 4, 4), torch.nn.BatchNorm2d(3)
        >>> y, _ = normalize(x, norm)
        >>> torch.allclose(y, norm(x), atol=1e-6)
        True
    """
    weight, bias, eps = norm.weight, norm.bias, norm.eps
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None and variance is not None
    if not norm.training:
        # A copy, as a later batch may update them before the backward pass.
        moments = Moments(mean.clone(), (variance + eps).rsqrt())
        return scaled(x, weight, bias, moments), moments
    if not is_plain(x):
        share = _count_batch(norm)
        y, *found = torch.native_batch_norm(
            x, weight, bias, mean, variance, True, share, eps
        )
        return y, Moments(*found)
    mean = x.mean(ALL_BUT_CHANNELS)
    y = x.sub_(broadcast(mean)) if in_place else x - broadcast(mean)
    # For each image and channel: the kernel is fast along contiguous rows.
    squares = torch.linalg.vector_norm(y.flatten(2), dim=2).square().sum(0)
    count = x.numel() // len(mean)
    moments = record(norm, mean, squares / count, count)
    y.mul_(broadcast(weight * moments.rstd)).add_(broadcast(bias))
    return y, moments


def scaled(
    x: Tensor, weight: Tensor, bias: Tensor, moments: Moments
) -> Tensor:
    """Normalize maps by known moments."""
    mean, rstd = moments
    # batch_norm takes a variance, here with an epsilon of zero.
    return torch.batch_norm(
        x, weight, bias, mean, rstd.pow(-2), False, 0.0, 0.0, False
    )


def normalize_backward(
    grad: Tensor, x: Tensor, weight: Tensor, moments: Moments, measured: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Differentiate a batch norm.

    Args:
        grad (Tensor): Gradient of what the norm returned, (N, C, H, W).
        x (Tensor): What it was given, (N, C, H, W).
        weight (Tensor): Its scale, (C,).
        moments (Moments): The moments that it used.
        measured (bool): Whether these are of the batch, not running ones.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Gradients of the maps, of the norm's
        scale and of its shift.
    """
    mean, rstd = moments
    running = mean, rstd.pow(-2)
    return torch.ops.aten.native_batch_norm_backward(
        grad, x, weight, *running, mean, rstd, measured, 0.0, [True] * 3
    )


class NormFunction(Function):
    """A batch norm in training on contiguous maps; it saves its input."""

    @staticmethod
    def forward(
        ctx: Context, x: Tensor, weight: Tensor, bias: Tensor, norm: _BatchNorm
    ) -> Tensor:
        """Normalize maps of shape (N, C, H, W)."""
        y, moments = normalize(x, norm)
        ctx.save_for_backward(x, weight, *moments)
        return y

    @staticmethod
    def backward(ctx: Context, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Differentiate it."""
        refuse_second_derivative()
        x, weight, *moments = ctx.saved_tensors
        return *normalize_backward(
            grad, x, weight, Moments(*moments), True
        ), None


def record(
    norm: _BatchNorm, mean: Tensor, variance: Tensor, values: int
) -> Moments:
    """Update the running moments of a norm.

    Args:
        norm (_BatchNorm): The norm.
        mean (Tensor): The mean, (C,).
        variance (Tensor): The variance, (C,).
        values (int): How many values a channel has in the batch.

    Returns:
        Moments: The moments to normalize the batch by.
    """
    share = _count_batch(norm)
    unbiased = variance * (values / (values - 1))
    assert norm.running_mean is not None and norm.running_var is not None
    # PyTorch's norm saves these buffers for its backward pass, unread. As its
    # own update, this one must not count as a change of what it has saved.
    norm.running_mean.data.lerp_(mean, share)
    norm.running_var.data.lerp_(unbiased, share)
    return Moments(mean, (variance + norm.eps).rsqrt())


def _count_batch(norm: _BatchNorm) -> float:
    """Count a batch, and return its weight in the running moments."""
    batches = norm.num_batches_tracked
    assert batches is not None
    batches.add_(1)
    if norm.momentum is None:  # a plain average over all batches
        return 1 / float(batches)
    return norm.momentum
