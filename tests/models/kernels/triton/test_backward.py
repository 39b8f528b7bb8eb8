"""The kernels of the backward pass, one by one, against autograd."""

import pytest
import torch
import torch.nn.functional as F

from mlfm_mm.models.kernels.triton.operators import close_gates, sum_norm
from tests.models.kernels.triton.cases import DEVICE


def test_gradients_of_scale_and_shift() -> None:
    total, grad = torch.randn(2, 2, 20, 9, 7, device=DEVICE)
    variance, mean = torch.var_mean(total, (0, 2, 3), correction=0)
    weight, bias = torch.rand(2, 20, device=DEVICE)
    weight.requires_grad_(), bias.requires_grad_()
    norm = [mean, variance, weight.detach(), bias.detach()]
    found = sum_norm(grad, total, norm, 1e-5).sum(1)
    y = F.batch_norm(total, None, None, weight, bias, training=True)
    d_weight, d_bias = torch.autograd.grad(y, (weight, bias), grad)
    torch.testing.assert_close(found[0], d_bias, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found[1], d_weight, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('measured', [False, True])
def test_gates_to_their_convolutions(measured: bool) -> None:
    x = torch.randn(2, 3, 6, 7, device=DEVICE)
    kernel = torch.randn(20, 3, 3, 3, device=DEVICE)
    y = F.conv2d(x, kernel, padding=1).requires_grad_()
    mean, variance = torch.rand(2, 20, device=DEVICE)
    if measured:
        variance, mean = torch.var_mean(y.detach(), (0, 2, 3), correction=0)
    weight, bias = torch.rand(2, 20, device=DEVICE)
    weight.requires_grad_(), bias.requires_grad_()
    out = F.batch_norm(y, mean, variance, weight, bias, training=measured)
    grad = torch.randn_like(out)
    expected, d_weight, d_bias = torch.autograd.grad(
        out.relu(), (y, weight, bias), grad
    )
    # The input gate sees patches as maps of their own, so both must agree.
    patches = F.unfold(x, 3, padding=1).view(2, 27, 6, 7)
    norm = [mean, variance, weight.detach(), bias.detach()]
    sums = torch.stack([d_bias, d_weight] * 2)
    found = close_gates(
        grad, [patches, x], [kernel.flatten(1)[:, :, None, None], kernel],
        norm * 2, [1e-5] * 2, torch.float32, sums, measured, False,
    )  # fmt: skip
    for d_y in found[:2]:
        torch.testing.assert_close(d_y, expected, rtol=1e-3, atol=1e-4)
