"""Convolutions as matrices, against PyTorch's convolutions."""

import pytest
import torch
import torch.nn.functional as F

from mlfm_mm.models.kernels.matrices import (
    columns_of,
    kernel_of,
    matrix_of,
    mix,
    products,
    sum_of_columns,
)

LAYOUTS = [torch.contiguous_format, torch.channels_last]


def maps(channels: int, layout: torch.memory_format) -> torch.Tensor:
    x = torch.randn(2, channels, 5, 6, dtype=torch.float64)
    return x.to(memory_format=layout)


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('channels', [2, 40])
@pytest.mark.parametrize('bias', [False, True])
@pytest.mark.parametrize('size', [1, 3])
def test_a_convolution(
    size: int, bias: bool, channels: int, layout: torch.memory_format
) -> None:
    x = maps(4, layout)
    kernel = torch.randn(channels, 4, size, size, dtype=torch.float64)
    shift = torch.randn(channels, dtype=torch.float64) if bias else None
    expected = F.conv2d(x, kernel, shift, padding=size // 2)
    got = mix(columns_of(x, size), matrix_of(kernel), shift)
    torch.testing.assert_close(got, expected)
    assert torch.equal(kernel_of(matrix_of(kernel), size), kernel)


@pytest.mark.parametrize('size', [1, 3, 5])
def test_the_transpose(size: int) -> None:
    x = maps(3, torch.contiguous_format)
    y = torch.randn_like(columns_of(x, size))
    torch.testing.assert_close(
        (columns_of(x, size) * y).sum(), (x * sum_of_columns(y, size)).sum()
    )


@pytest.mark.parametrize('first', LAYOUTS)
@pytest.mark.parametrize('second', LAYOUTS)
def test_products(
    first: torch.memory_format, second: torch.memory_format
) -> None:
    x, y = maps(3, first), maps(4, second)
    expected = torch.einsum('nchw,nkhw->ck', x, y)
    torch.testing.assert_close(products(x, y), expected)


def test_products_of_halves_are_summed_in_single_precision() -> None:
    x = maps(3, torch.contiguous_format).bfloat16()
    assert products(x, x).dtype == torch.float32
