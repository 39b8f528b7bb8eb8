"""The descent of a memory by sums, against pooling and PyWavelets."""

import pytest
import torch
import torch.nn.functional as F

from mlfm_mm.models.kernels.haar import (
    descend,
    is_haar_descent,
)
from mlfm_mm.models.low_pass import ForgetGate
from tests.models.reference import low_low

SIZES = [(1, 1), (2, 3), (5, 4), (7, 9), (16, 16)]


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize(
    'layout', [torch.contiguous_format, torch.channels_last]
)
def test_equals_pywavelets(size: tuple, layout: torch.memory_format) -> None:
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    y = descend(ForgetGate(levels=2), x.to(memory_format=layout))
    torch.testing.assert_close(y, low_low(low_low(x)), rtol=0, atol=1e-12)


@pytest.mark.parametrize('levels', [0, 1, 3])
@pytest.mark.parametrize('size', SIZES)
def test_gradients_equal_those_of_pooling(size: tuple, levels: int) -> None:
    x = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    expected = x
    for _ in range(levels):
        expected = 2 * F.avg_pool2d(
            expected, 2, ceil_mode=True, count_include_pad=False
        )
    found = descend(ForgetGate(levels), x)
    grad = torch.randn_like(found)
    torch.testing.assert_close(
        torch.autograd.grad(found, x, grad),
        torch.autograd.grad(expected, x, grad),
    )


def test_other_gates_and_precisions_run_as_they_are() -> None:
    x = torch.randn(1, 2, 6, 8)
    for gate in (ForgetGate(-1), ForgetGate(1, 'db2')):
        assert not is_haar_descent(gate)
        assert torch.equal(descend(gate, x), gate(x))
    half = x.bfloat16()
    assert torch.equal(descend(ForgetGate(1), half), ForgetGate(1)(half))
