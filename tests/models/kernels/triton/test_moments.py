"""Moments, of values and of convolutions, against PyTorch in float64."""

import pytest
import torch
import torch.nn.functional as F
import triton
import triton.language as tl

from mlfm_mm.models.kernels.triton.moments import (
    add_moments,
    no_moments,
    save_moments,
)
from mlfm_mm.models.kernels.triton.operators import (
    finish_moments,
    measure_gates,
)
from tests.models.kernels.triton.cases import DEVICE


@triton.jit
def measure(x, out, rows, BLOCK: tl.constexpr):
    c = tl.arange(0, 16)
    count, mean, squares = no_moments(BLOCK, 16, tl.float32)
    for start in range(0, rows, BLOCK):
        row = start + tl.arange(0, BLOCK)[:, None]
        y = tl.load(x + row * 16 + c[None, :], mask=row < rows, other=0)
        count, mean, squares = add_moments(count, mean, squares, y, row < rows)
    save_moments(out, 0, count, mean, squares, c, 16)


@pytest.mark.parametrize('rows', [1, 16, 50])
def test_moments_far_from_zero(rows: int) -> None:
    x = 1000 + torch.randn(rows, 16, device=DEVICE)
    out = torch.zeros(3, 16, device=DEVICE)
    measure[(1,)](x, out, rows, 16)
    exact = x.double()
    squares = (exact - exact.mean(0)).square().sum(0)
    assert (out[0] == rows).all()
    torch.testing.assert_close(
        out[1].double(), exact.mean(0), rtol=1e-6, atol=0
    )
    torch.testing.assert_close(out[2].double(), squares, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize('momentum', [0.25, -1.0])
def test_moments_of_convolutions_far_from_zero(momentum: float) -> None:
    sources = [torch.randn(3, c, 9, 8, device=DEVICE) + 50 for c in (5, 3)]
    kernels = [
        torch.rand(20, c, k, k, device=DEVICE) for c, k in ((5, 1), (3, 3))
    ]
    batches = [torch.full((), 3, device=DEVICE) for _ in kernels]
    running = [torch.rand(20, device=DEVICE) for _ in range(4)]
    before = [x.clone() for x in running]
    shares = measure_gates(sources, kernels, torch.float32, batches)
    found = finish_moments(shares, running, batches, [momentum] * 2)
    share = momentum if momentum > 0 else 1 / 4
    for i, (x, kernel) in enumerate(zip(sources, kernels, strict=True)):
        y = F.conv2d(
            x.double(), kernel.double(), padding=kernel.shape[-1] // 2
        )
        variance, mean = torch.var_mean(y, (0, 2, 3), correction=0)
        expected = torch.stack([mean, variance]).float()
        torch.testing.assert_close(found[i], expected, rtol=1e-4, atol=1e-4)
        expected[1] *= 216 / 215
        for kept, old, new in zip(
            running[2 * i :], before[2 * i :], expected, strict=False
        ):
            torch.testing.assert_close(
                kept, old + share * (new - old), rtol=1e-4, atol=1e-4
            )
        assert batches[i] == 4
