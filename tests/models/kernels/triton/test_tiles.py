"""Parts of kernels, each in a small kernel of its own."""

import pytest
import torch
import torch.nn.functional as F
import triton
import triton.language as tl
from torch import Tensor

from mlfm_mm.models.kernels.triton.launch import Products, maps_of, norm_of
from mlfm_mm.models.kernels.triton.tiles import (
    convolve,
    gather,
    place,
    save,
    scale_and_shift,
    second_half,
    weights_of,
)
from tests.models.kernels.triton.cases import DEVICE

LAYOUTS = [torch.contiguous_format, torch.channels_last]


@triton.jit
def convolve_all(
    gate, out, images, height, width, channels,
    COUNT: tl.constexpr, SIZE: tl.constexpr, HOW: tl.constexpr,
):  # fmt: skip
    c = tl.arange(0, 16)
    n, h, w, inside = place(0, images * height * width, height, width, 64)
    patches = gather(gate, n, h, w, inside, height, width, 0, COUNT, SIZE, 16)
    weights = weights_of(gate, c, channels, 0, COUNT, SIZE, 16, tl.float32)
    y = convolve(
        gate, patches, weights, n, h, w, inside, c, height, width, channels,
        COUNT, SIZE, 16, HOW,
    )  # fmt: skip
    inside = inside[:, None] & (c < channels)[None, :]
    save(second_half(out, channels), n, c, h, w, inside, y)


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize(('size', 'count'), [(1, 20), (3, 3), (3, 1)])
def test_convolution(size: int, count: int, layout) -> None:
    x = torch.randn(2, count, 5, 6, device=DEVICE).to(memory_format=layout)
    kernel = torch.randn(7, count, size, size, device=DEVICE)
    out = torch.zeros(2, 14, 5, 6, device=DEVICE).to(memory_format=layout)
    gate = *maps_of(x), *maps_of(kernel)
    how = Products(count, 16, count, 16, tl.float32, 'ieee', tl.float32)
    convolve_all[(1,)](gate, maps_of(out), 2, 5, 6, 7, count, size, how)
    expected = F.conv2d(x, kernel, padding=size // 2)
    torch.testing.assert_close(out[:, 7:], expected, rtol=1e-4, atol=1e-4)
    assert not out[:, :7].any()


@triton.jit
def affine(norm, out, channels):
    c = tl.arange(0, 16)
    scale, shift = scale_and_shift(norm, c, channels, tl.float32)
    tl.store(out + c[None, :], scale)
    tl.store(out + 16 + c[None, :], shift)


def test_a_norm_as_scale_and_shift() -> None:
    mean, variance, weight, bias = torch.rand(4, 16, device=DEVICE)

    def run(*norm: Tensor | float | None) -> Tensor:
        out = torch.zeros(2, 16, device=DEVICE)
        affine[(1,)](norm, out, 16)
        return out

    scale = weight / (variance + 0.5).sqrt()
    for given, expected in (
        ((mean, variance, weight, bias, 0.5), (scale, bias - mean * scale)),
        ((None, None, weight, bias, 0.0), (weight, bias)),
        ((None, None, None, bias, 0.0), (torch.ones_like(bias), bias)),
    ):
        found = run(*norm_of(given[:4], given[4]))
        torch.testing.assert_close(found, torch.stack(expected))
