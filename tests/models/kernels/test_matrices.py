"""Convolutions as matrices, against PyTorch's convolutions."""

import pytest
import torch
import torch.nn.functional as F

from mlfm_mm.models.kernels.matrices import columns_of, mix, products


def maps(channels: int) -> torch.Tensor:
    return torch.randn(2, channels, 5, 6, dtype=torch.float64)


@pytest.mark.parametrize('channels', [2, 40])
@pytest.mark.parametrize('size', [1, 3, 5])
def test_a_convolution(size: int, channels: int) -> None:
    x = maps(4)
    kernel = torch.randn(channels, 4, size, size, dtype=torch.float64)
    shift = torch.randn(channels, dtype=torch.float64)
    expected = F.conv2d(x, kernel, shift, padding=size // 2)
    matrix = torch.cat((kernel.flatten(1), shift[:, None]), dim=1)
    torch.testing.assert_close(mix(columns_of(x, size), matrix), expected)


@pytest.mark.parametrize(('first', 'second'), [(3, 4), (4, 3), (3, 3)])
def test_products(first: int, second: int) -> None:
    x, y = maps(first), maps(second)
    expected = torch.einsum('nchw,nkhw->ck', x, y)
    torch.testing.assert_close(products(x, y), expected)


def test_products_of_halves_are_summed_in_single_precision() -> None:
    x = maps(3).bfloat16()
    assert products(x, x).dtype == torch.float32
