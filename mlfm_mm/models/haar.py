"""The low-low band of the Haar wavelet, as fast as maps can be read."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .tracing import traced


def haar_low_low(x: Tensor) -> Tensor:
    """Halve a map's resolution by the Haar wavelet.

    Args:
        x (Tensor): Maps of shape (N, C, H, W).

    Returns:
        Tensor: Maps of shape (N, C, ceil(H / 2), ceil(W / 2)).

    Example:
        >>> haar_low_low(torch.ones(1, 1, 3, 4))
        tensor([[[[2., 2.],
                  [2., 2.]]]])
    """
    if traced():
        return _by_pooling(x)
    if not torch.is_grad_enabled():
        return _low_low(x)
    return _HaarLowLow.apply(x)


def _low_low(x: Tensor) -> Tensor:
    if x.device.type == 'cpu' and x.dtype in (torch.float32, torch.float64):
        return _by_sums(x)
    return _by_pooling(x)


def _by_pooling(x: Tensor) -> Tensor:
    # A window that hangs over an odd edge averages what is inside, which is
    # what repeating the last row or column comes to.
    return 2 * F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)


def _by_sums(x: Tensor) -> Tensor:
    """Add up rows, then columns, which a CPU does with whole vectors."""
    rows = _add_pairs(x, 2)
    return _add_pairs(rows, 3).mul_(0.5)


def _add_pairs(x: Tensor, dim: int) -> Tensor:
    index = [slice(None)] * x.dim()
    index[dim] = slice(0, None, 2)
    first = x[tuple(index)]
    index[dim] = slice(1, None, 2)
    second = x[tuple(index)]
    if x.shape[dim] % 2 == 0:
        return first + second
    # The last one has no second: it is taken twice.
    total = first.clone()
    total.narrow(dim, 0, second.shape[dim]).add_(second)
    total.narrow(dim, second.shape[dim], 1).mul_(2)
    return total


class _HaarLowLow(torch.autograd.Function):
    """Keeps nothing for the backward pass, where pooling keeps its input."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.size = x.shape[-2:]
        return _low_low(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        grad = 0.5 * grad
        for dim, size in zip((3, 2), reversed(ctx.size), strict=True):
            grad = grad.repeat_interleave(2, dim)
            if size % 2:
                grad = grad.narrow(dim, 0, size)
                last = grad.narrow(dim, size - 1, 1)
                grad = torch.cat(
                    (grad.narrow(dim, 0, size - 1), 2 * last), dim
                )
        return grad
