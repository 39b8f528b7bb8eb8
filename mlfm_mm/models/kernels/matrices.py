"""Convolutions of plain maps as products of matrices.

On a CPU the libraries behind PyTorch's convolution bring plain maps into a
layout of their own and the result back, which for few channels takes longer
than the sums. A product of matrices takes the maps as they are.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def columns_of(x: Tensor, size: int) -> Tensor:
    """Lay the patches around each pixel out as maps, and a map of ones.

    Args:
        x (Tensor): Maps of shape (N, M, H, W).
        size (int): Size K of the patches, odd; zeros are around the maps.

    Returns:
        Tensor: Maps of shape (N, M * K * K + 1, H, W), in the order of a
        kernel (C, M, K, K).

    Example:
        >>> columns_of(torch.full((1, 1, 1, 2), 5.0), 1)
        tensor([[[[5., 5.]],
        <BLANKLINE>
                 [[1., 1.]]]])
    """
    n, channels, height, width = x.shape
    columns = x.new_empty(n, channels * size**2 + 1, height, width)
    patches = F.pad(x, (size // 2,) * 4).unfold(2, size, 1).unfold(3, size, 1)
    columns[:, :-1].view(n, channels, size, size, height, width).copy_(
        patches.permute(0, 1, 4, 5, 2, 3)
    )
    columns[:, -1] = 1
    return columns


def mix(columns: Tensor, matrix: Tensor) -> Tensor:
    """Multiply each pixel by a matrix: a convolution of size 1.

    Args:
        columns (Tensor): Maps of shape (N, K, H, W), contiguous.
        matrix (Tensor): Matrix of shape (C, K).

    Returns:
        Tensor: Maps of shape (N, C, H, W).

    Example:
        >>> mix(torch.ones(1, 2, 1, 3), torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
        tensor([[[[1., 1., 1.]],
        <BLANKLINE>
                 [[2., 2., 2.]]]])
    """
    n, _, height, width = columns.shape
    # Written into maps: autograd would take a view of them for another's.
    y = columns.new_empty(n, len(matrix), height, width)
    wide = matrix.to(columns.dtype).expand(n, -1, -1)
    torch.bmm(wide, columns.flatten(2), out=y.flatten(2))
    return y


def products(x: Tensor, y: Tensor) -> Tensor:
    """Sum the products of any two maps over all pixels.

    Args:
        x (Tensor): Maps of shape (N, C, H, W), contiguous.
        y (Tensor): Maps of shape (N, K, H, W), contiguous.

    Returns:
        Tensor: Sums of shape (C, K), in single precision at least.

    Example:
        >>> products(torch.ones(2, 1, 3, 3), torch.ones(2, 2, 3, 3))
        tensor([[18., 18.]])
    """
    if x.shape[1] > y.shape[1]:  # the faster way round
        return products(y, x).t()
    each = torch.bmm(x.flatten(2), y.flatten(2).transpose(1, 2))
    return each.sum(0, dtype=torch.promote_types(x.dtype, torch.float32))
