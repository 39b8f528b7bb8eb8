"""The gates' convolutions as products of matrices.

A gate is a linear map from columns, the pixels of a few maps or the patches
around them, to many maps. Written so, it can be put together with the norm
behind it, forward and backward.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def columns_of(x: Tensor, size: int) -> Tensor:
    """Lay the patches around each pixel out as maps.

    Args:
        x (Tensor): Maps of shape (N, M, H, W).
        size (int): Size K of the patches, odd; zeros are around the maps.

    Returns:
        Tensor: Maps of shape (N, K * K * M, H, W); ``x`` itself if K is 1.
    """
    if size == 1:
        return x
    height, width = x.shape[-2:]
    x = F.pad(x, (size // 2,) * 4)
    return torch.cat(
        [
            x[..., i : i + height, j : j + width]
            for i in range(size)
            for j in range(size)
        ],
        dim=1,
    )


def sum_of_columns(columns: Tensor, size: int) -> Tensor:
    """Add patches up where they come from: the transpose of columns_of.

    Args:
        columns (Tensor): Maps of shape (N, K * K * M, H, W).
        size (int): Size K of the patches.

    Returns:
        Tensor: Maps of shape (N, M, H, W).
    """
    if size == 1:
        return columns
    n, _, height, width = columns.shape
    channels, edge = columns.shape[1] // size**2, size // 2
    total = columns.new_zeros(n, channels, height + 2 * edge, width + 2 * edge)
    for k, part in enumerate(columns.split(channels, dim=1)):
        i, j = divmod(k, size)
        total[..., i : i + height, j : j + width] += part
    return total[..., edge : edge + height, edge : edge + width]


def matrix_of(kernel: Tensor) -> Tensor:
    """Lay a kernel (C, M, K, K) out as a matrix (C, K * K * M)."""
    return kernel.permute(0, 2, 3, 1).flatten(1)


def kernel_of(matrix: Tensor, size: int) -> Tensor:
    """Fold a matrix (C, K * K * M) to a kernel (C, M, K, K)."""
    kernel = matrix.view(len(matrix), size, size, -1)
    return kernel.permute(0, 3, 1, 2)


def mix(columns: Tensor, matrix: Tensor, bias: Tensor | None) -> Tensor:
    """Multiply each pixel by a matrix: a convolution of size 1.

    On a CPU the libraries behind PyTorch's convolution bring plain maps into
    a layout of their own and the result back, which for few channels takes
    longer than the sums. A product of matrices takes the maps as they are.

    Args:
        columns (Tensor): Maps of shape (N, K, H, W).
        matrix (Tensor): Matrix of shape (C, K).
        bias (Tensor, optional): Bias of shape (C,).

    Returns:
        Tensor: Maps of shape (N, C, H, W).

    Example:
        >>> mix(torch.ones(1, 2, 1, 3), torch.eye(2), torch.arange(2.0))
        tensor([[[[1., 1., 1.]],
        <BLANKLINE>
                 [[2., 2., 2.]]]])
    """
    dtype = columns.dtype
    matrix = matrix.to(dtype)
    bias = bias if bias is None else bias.to(dtype)
    if columns.device.type != 'cpu' or not columns.is_contiguous():
        return F.conv2d(columns, matrix[..., None, None], bias)
    n, count, height, width = columns.shape
    if bias is not None and 2 * count <= len(matrix):
        # One more column costs less than to write the bias everywhere.
        ones = columns.new_ones(1, 1, 1, 1).expand(n, 1, height, width)
        columns = torch.cat((columns, ones), dim=1)
        matrix, bias = torch.cat((matrix, bias[:, None]), dim=1), None
    flat, wide = columns.flatten(2), matrix.expand(n, -1, -1)
    if bias is None:
        y = torch.bmm(wide, flat)
    else:
        y = torch.baddbmm(bias.view(1, -1, 1), wide, flat)
    return y.view(n, -1, height, width)


def products(x: Tensor, y: Tensor) -> Tensor:
    """Sum the products of any two maps over all pixels.

    Args:
        x (Tensor): Maps of shape (N, C, H, W).
        y (Tensor): Maps of shape (N, K, H, W).

    Returns:
        Tensor: Sums of shape (C, K), in single precision at least.

    Example:
        >>> products(torch.ones(2, 1, 3, 3), torch.ones(2, 2, 3, 3))
        tensor([[18., 18.]])
    """
    precision = torch.promote_types(x.dtype, torch.float32)
    if x.is_contiguous() and y.is_contiguous():
        each = torch.bmm(x.flatten(2), y.flatten(2).transpose(1, 2))
        return each.sum(0, dtype=precision)
    if x.shape[1] < y.shape[1]:  # of the two the wider one is read in rows
        return products(y, x).t()
    x, y = (t.permute(0, 2, 3, 1).flatten(1, 2) for t in (x, y))
    return torch.bmm(y.transpose(1, 2), x).sum(0, dtype=precision).t()
