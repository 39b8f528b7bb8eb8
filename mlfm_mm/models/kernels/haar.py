"""The forget gate's Haar band of contiguous maps, forward and backward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.autograd import Function

from .autograd import Context, refuse_second_derivative
from .batch_norm import is_plain

if TYPE_CHECKING:
    from ..low_pass import ForgetGate


def is_haar_descent(gate: ForgetGate) -> bool:
    """Tell whether a forget gate goes down by the Haar wavelet, or stays."""
    return gate.filter is None and gate.levels >= 0


def descend(gate: ForgetGate, memory: Tensor) -> Tensor:
    """Run a forget gate so that it can be differentiated once.

    Args:
        gate (ForgetGate): Any forget gate.
        memory (Tensor): Memory of shape (N, C, H, W).

    Returns:
        Tensor: The memory at its new level.

    Example:
        >>> import torch
        >>> from mlfm_mm.models.low_pass import ForgetGate
        >>> gate, memory = ForgetGate(2), torch.rand(1, 2, 7, 5)
        >>> torch.allclose(descend(gate, memory), gate(memory))
        True
    """
    if not is_plain(memory) or not is_haar_descent(gate):
        return gate(memory)
    for _ in range(gate.levels):
        memory = HaarFunction.apply(memory)
    return memory


class HaarFunction(Function):
    """One level down. A CPU adds rows faster than it pools pixels."""

    @staticmethod
    def forward(ctx: Context, x: Tensor) -> Tensor:
        """Halve maps of shape (N, C, H, W)."""
        ctx.shape = x.shape
        return haar_of_rows(x)

    @staticmethod
    def backward(ctx: Context, grad: Tensor) -> Tensor:
        """Copy each gradient to the four pixels of its window."""
        refuse_second_derivative()
        height, width = ctx.shape[2:]
        return _share_out(_share_out(0.5 * grad, 3, width), 2, height)


def haar_of_rows(x: Tensor) -> Tensor:
    """Halve maps of shape (N, C, H, W) by sums of whole rows.

    Example:
        >>> import torch
        >>> from mlfm_mm import LowPass
        >>> x = torch.rand(1, 3, 7, 4)
        >>> torch.allclose(haar_of_rows(x), LowPass()(x))
        True
    """
    return _add_pairs(_add_pairs(x, 2), 3).mul_(0.5)


def _add_pairs(x: Tensor, dim: int) -> Tensor:
    first, second = _pairs_of(x, dim)
    if x.shape[dim] % 2 == 0:
        return first + second
    # The last one has no partner: it counts twice.
    total = first.clone()
    total.narrow(dim, 0, second.shape[dim]).add_(second)
    total.narrow(dim, second.shape[dim], 1).mul_(2)
    return total


def _pairs_of(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """View the even and the odd rows or columns."""
    even, odd = (
        (slice(None),) * dim + (slice(start, None, 2),) for start in (0, 1)
    )
    return x[even], x[odd]


def _share_out(grad: Tensor, dim: int, size: int) -> Tensor:
    shape = list(grad.shape)
    shape[dim] = size
    out = grad.new_empty(shape)
    first, second = _pairs_of(out, dim)
    first.copy_(grad)
    second.copy_(grad.narrow(dim, 0, size // 2))
    if size % 2:
        first.narrow(dim, size // 2, 1).mul_(2)
    return out
