"""The forget gate's Haar band, forward and backward, for a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ..low_pass import ForgetGate


def is_haar_descent(gate: ForgetGate) -> bool:
    """Tell whether a forget gate goes down, or stays, by the Haar wavelet."""
    return gate.filter is None and gate.levels >= 0


def descend(gate: ForgetGate, memory: Tensor) -> Tensor:
    """Run a forget gate.

    Args:
        gate (ForgetGate): Any forget gate.
        memory (Tensor): Memory of shape (N, C, H, W).

    Returns:
        Tensor: The memory at its new level.

    Example:
        >>> from mlfm_mm.models.low_pass import ForgetGate
        >>> gate, memory = ForgetGate(2), torch.rand(1, 2, 7, 5)
        >>> torch.allclose(descend(gate, memory), gate(memory))
        True
    """
    if memory.dtype not in (torch.float32, torch.float64):
        return gate(memory)
    if not is_haar_descent(gate):
        return gate(memory)
    for _ in range(gate.levels):
        # Rows, then columns, which a CPU adds up by whole vectors.
        memory = _add_pairs(_add_pairs(memory, 2), 3).mul_(0.5)
    return memory


def descend_backward(grad: Tensor, size: Sequence[int], levels: int) -> Tensor:
    """Differentiate a descent by the Haar wavelet.

    Args:
        grad (Tensor): Gradient of the memory at its new level.
        size (Sequence[int]): Height and width of the memory before.
        levels (int): How many levels it went down.

    Returns:
        Tensor: Gradient of the memory before.

    Example:
        >>> descend_backward(torch.ones(1, 1, 1, 2), (1, 3), 1)
        tensor([[[[1., 1., 2.]]]])
    """
    sizes = [tuple(size)]
    for _ in range(levels - 1):
        sizes.append(tuple((side + 1) // 2 for side in sizes[-1]))
    for height, width in reversed(sizes[:levels]):
        grad = _share_out(_share_out(0.5 * grad, 3, width), 2, height)
    return grad


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


def _share_out(grad: Tensor, dim: int, size: int) -> Tensor:
    grad = grad.repeat_interleave(2, dim)
    if size % 2:
        grad = grad.narrow(dim, 0, size).clone()
        grad.narrow(dim, size - 1, 1).mul_(2)
    return grad
