"""The kernels of the forward pass, one by one, against PyTorch."""

import pytest
import torch
import torch.nn.functional as F

from mlfm_mm.models.kernels.triton.forward_ops import (
    finish_moments,
    measure_gates,
    normalize,
)
from tests.models.kernels.triton.cases import DEVICE


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


@pytest.mark.parametrize('with_x', [False, True])
def test_normalize(with_x: bool) -> None:
    total, x = torch.randn(2, 2, 20, 5, 7, device=DEVICE)
    norm = [torch.rand(20, device=DEVICE) for _ in range(4)]
    out = normalize(total, x if with_x else None, norm, 0.5)
    mean, variance, weight, bias = norm
    expected = F.batch_norm(total, mean, variance, weight, bias, eps=0.5)
    if with_x:
        expected += x
    torch.testing.assert_close(out, expected)
