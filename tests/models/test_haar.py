"""The Haar low-pass without a kept map, against pooling."""

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck, gradgradcheck

from mlfm_mm.models.haar import haar_low_low
from tests.models.reference import low_low

SIZES = [(1, 1), (2, 3), (5, 4), (7, 9), (16, 16)]


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize(
    'layout', [torch.contiguous_format, torch.channels_last]
)
@pytest.mark.parametrize('with_grad', [False, True])
def test_equals_pywavelets(
    size: tuple, layout: torch.memory_format, with_grad: bool
) -> None:
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    with torch.set_grad_enabled(with_grad):
        y = haar_low_low(x.to(memory_format=layout))
    torch.testing.assert_close(y, low_low(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize('size', SIZES)
def test_gradients_equal_those_of_pooling(size: tuple) -> None:
    x = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    y = haar_low_low(x)
    pooled = 2 * F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)
    grad = torch.randn_like(y)
    (ours,) = torch.autograd.grad(y, x, grad)
    (theirs,) = torch.autograd.grad(pooled, x, grad)
    torch.testing.assert_close(ours, theirs)
    assert gradcheck(haar_low_low, (x,))
    assert gradgradcheck(haar_low_low, (x,))


def test_keeps_nothing_for_the_backward_pass() -> None:
    kept: list[torch.Tensor] = []
    hooks = torch.autograd.graph.saved_tensors_hooks(
        lambda t: (kept.append(t), t)[1], lambda t: t
    )
    x = torch.randn(1, 2, 8, 8, requires_grad=True)
    with hooks:
        haar_low_low(x)
    assert not kept
