"""Batch norm in few passes over memory, forward and backward.

A map is kept less its mean. Then its variance is a sum of squares, which is
read at the speed of memory, where PyTorch's kernel for the CPU takes several
times as long; and where the map comes from a convolution, the mean is
subtracted by the convolution's bias, for nothing.

Maps in half precision keep their mean, which would be rounded with the rest
of them; single precision adds up their squares.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

SPACE = (0, 2, 3)
PRECISE = (torch.float32, torch.float64)


class Moments(NamedTuple):
    """What a norm goes by, channel by channel.

    Args:
        mean (Tensor): Mean, of shape (C,).
        rstd (Tensor): One over the standard deviation, of shape (C,).
    """

    mean: Tensor
    rstd: Tensor


def broadcast(values: Tensor) -> Tensor:
    """Shape a value for each channel to fit maps (N, C, H, W)."""
    return values.view(1, -1, 1, 1)


def mean_of(x: Tensor) -> Tensor:
    """Average maps (N, C, H, W) channel by channel, to (C,)."""
    return x.mean(SPACE, dtype=_dtype_of_sums(x))


def sum_of(x: Tensor) -> Tensor:
    """Sum maps (N, C, H, W) channel by channel, to (C,)."""
    return x.sum(SPACE, dtype=_dtype_of_sums(x))


def centred(x: Tensor, mean: Tensor) -> Tensor:
    """Copy maps (N, C, H, W), less their mean (C,) if they are precise."""
    return x - broadcast(mean) if x.dtype in PRECISE else x.clone()


def normalize_(x: Tensor, norm: _BatchNorm, mean: Tensor) -> Moments:
    """Normalize maps in place, as a batch norm does.

    Args:
        x (Tensor): Maps (N, C, H, W), as :func:`centred` gives them.
        norm (_BatchNorm): The norm, affine and with running statistics.
        mean (Tensor): The mean of the maps, or the running mean for a norm
            in evaluation, of shape (C,).

    Returns:
        Moments: What it went by.

    Example:
        >>> x, norm = torch.randn(2, 3, 4, 4), torch.nn.BatchNorm2d(3)
        >>> y = centred(x, mean_of(x))
        >>> _ = normalize_(y, norm, mean_of(x))
        >>> torch.allclose(y, norm(x), atol=1e-6)
        True
    """
    if norm.training:
        variance = _sum_of_squares(x) / count(x)
        if x.dtype not in PRECISE:
            variance = (variance - mean.square()).clamp_min(0)
        _record(norm, mean, variance, count(x))
    else:
        assert norm.running_var is not None
        variance = norm.running_var
    moments = Moments(mean, (variance + norm.eps).rsqrt())
    scale = norm.weight * moments.rstd
    if x.dtype in PRECISE:
        x.mul_(broadcast(scale)).add_(broadcast(norm.bias))
    else:  # one rounding instead of two
        shift = broadcast(norm.bias - mean * scale)
        torch.addcmul(shift, x, broadcast(scale), out=x)
    return moments


def normalize_backward(
    grad: Tensor, x: Tensor, weight: Tensor, moments: Moments, measured: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Differentiate a batch norm.

    With ``plain = (x - mean) * rstd`` the gradient of the maps is ``weight *
    rstd * (grad - mean(grad) - plain * mean(grad * plain))``, without the
    two means if the moments were not measured.

    Args:
        grad (Tensor): Gradient of what the norm returned, (N, C, H, W).
        x (Tensor): What it was given, (N, C, H, W).
        weight (Tensor): Its scale, (C,).
        moments (Moments): What it went by.
        measured (bool): Whether it had measured them.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Gradients of the maps, of the norm's
        scale and of its shift.
    """
    c = centred(x, moments.mean)
    d_bias, dot = sum_of(grad), sum_of(grad * c)
    if x.dtype not in PRECISE:
        dot = dot - moments.mean * d_bias
    d_weight = dot * moments.rstd
    factor = broadcast(weight * moments.rstd)
    if not measured:
        return (grad * factor).to(x.dtype), d_weight, d_bias
    slope = -moments.rstd * d_weight / count(x)
    offset = -d_bias / count(x)
    if x.dtype not in PRECISE:
        offset = offset - slope * moments.mean
    d_x = c.mul_(broadcast(slope)).add_(grad).add_(broadcast(offset))
    return d_x.mul_(factor), d_weight, d_bias


# ---- parts ----------------------------------------------------------------


def count(x: Tensor) -> int:
    """Count the values of a channel."""
    return x.numel() // x.shape[1]


def _dtype_of_sums(x: Tensor) -> torch.dtype:
    return x.dtype if x.dtype in PRECISE else torch.float32


def _sum_of_squares(x: Tensor) -> Tensor:
    """Add up squares channel by channel, without a map of squares."""
    norm, dtype = torch.linalg.vector_norm, _dtype_of_sums(x)
    if x.is_contiguous():
        rows = norm(x.flatten(2), dim=2, dtype=dtype)
        return rows.square().sum(0)
    if x.device.type == 'cpu' and x.dtype in PRECISE:
        # Where channels come last it is the other way round: PyTorch's
        # kernel is fast, and a norm over what is not in a row is slow.
        mean, variance = torch.batch_norm_update_stats(x, None, None, 0.0)
        return (variance + mean.square()) * count(x)
    return norm(x, dim=SPACE, dtype=dtype).square()


def _record(
    norm: _BatchNorm, mean: Tensor, variance: Tensor, values: int
) -> None:
    batches, running = norm.num_batches_tracked, norm.running_mean
    assert batches is not None and running is not None
    assert norm.running_var is not None
    batches.add_(1)
    share: float | Tensor
    if norm.momentum is None:  # a plain average over all batches
        share = 1 / batches.to(running.dtype)
    else:
        share = norm.momentum
    unbiased = variance * (values / (values - 1))
    for kept, new in ((running, mean), (norm.running_var, unbiased)):
        kept.lerp_(new.to(kept.dtype), share)
