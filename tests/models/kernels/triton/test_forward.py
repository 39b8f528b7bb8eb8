"""The last kernel of the forward pass, against PyTorch."""

import pytest
import torch
import torch.nn.functional as F

from mlfm_mm.models.kernels.triton.operators import normalize
from tests.models.kernels.triton.cases import DEVICE


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
