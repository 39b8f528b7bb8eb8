"""Batch norm in few passes, against PyTorch's."""

import pytest
import torch
from torch import Tensor, nn

from mlfm_mm.models.kernels.batch_norm import (
    NormFunction,
    normalize,
    normalize_backward,
    scaled,
)
from tests.models.builders import shaken

LAYOUTS = [torch.contiguous_format, torch.channels_last]


def norm_and_maps(
    dtype: torch.dtype, layout: torch.memory_format, **options
) -> tuple[nn.BatchNorm2d, Tensor]:
    torch.manual_seed(0)
    norm = shaken(nn.BatchNorm2d(6, **options))
    # Far from zero, so that a variance by squares alone would be wrong.
    x = 300 + torch.randn(4, 6, 9, 7, dtype=torch.float64)
    return norm.to(dtype), x.to(dtype).to(memory_format=layout)


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('momentum', [0.1, None])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_equals_pytorch(
    dtype: torch.dtype,
    momentum: float | None,
    training: bool,
    layout: torch.memory_format,
) -> None:
    norm, x = norm_and_maps(dtype, layout, momentum=momentum)
    twin, y = norm_and_maps(torch.float64, layout, momentum=momentum)
    norm.train(training), twin.train(training)
    y = x.double().requires_grad_()
    tolerance = 1e-3 if dtype == torch.float32 else 1e-9
    with torch.no_grad():
        for _ in range(2):
            out, moments = normalize(x, norm)
            known = scaled(x, norm.weight, norm.bias, moments)
    twin(y)
    expected = twin(y)
    torch.testing.assert_close(known, out, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(
        out.double(), expected, rtol=tolerance, atol=tolerance
    )
    for name, buffer in norm.named_buffers():
        theirs = twin.get_buffer(name).to(buffer.dtype)
        torch.testing.assert_close(buffer, theirs, rtol=1e-4, atol=1e-4)

    grad = torch.randn_like(expected)
    expected.backward(grad)
    got = normalize_backward(grad.to(dtype), x, norm.weight, moments, training)
    wanted = y.grad, twin.weight.grad, twin.bias.grad
    for ours, theirs in zip(got, wanted, strict=True):
        torch.testing.assert_close(
            ours.double(), theirs, rtol=tolerance, atol=tolerance
        )


def test_half_precision_sums_in_single() -> None:
    norm, x = norm_and_maps(torch.float32, torch.contiguous_format)
    x = (x - 299).bfloat16()
    with torch.no_grad():
        out, moments = normalize(x, norm.train())
        expected = nn.functional.batch_norm(
            x.float(), None, None, norm.weight, norm.bias, True
        )
    assert out.dtype == torch.bfloat16 and moments[0].dtype == torch.float32
    torch.testing.assert_close(out.float(), expected, rtol=0.02, atol=0.02)


def test_in_place() -> None:
    norm, x = norm_and_maps(torch.float32, torch.contiguous_format)
    with torch.no_grad():
        expected, _ = normalize(x.clone(), norm)
        given = x.clone()
        assert not torch.equal(expected, given)
        found, _ = normalize(given, norm, in_place=True)
    assert found is given and torch.equal(found, expected)


def test_the_function() -> None:
    norm, x = norm_and_maps(torch.float64, torch.contiguous_format)
    x = (x - 300).requires_grad_()

    def call(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return NormFunction.apply(x, weight, bias, norm)

    inputs = x, norm.weight, norm.bias
    assert torch.autograd.gradcheck(call, inputs, fast_mode=True)
