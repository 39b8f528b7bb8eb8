"""Every precision and memory format that users train and infer in."""

import pytest
import torch
from torch import nn

from tests.models.builders import shaken
from tests.robustness.models import gradients, images, narrow, step

HALVES = [torch.float16, torch.bfloat16]


def finite(model: nn.Module) -> bool:
    return all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize('dtype', HALVES)
@pytest.mark.parametrize('wavelet', ['haar', 'db2'])
def test_amp(dtype: torch.dtype, wavelet: str) -> None:
    model = narrow(wavelet=wavelet).train()
    # Pixels normalized as usual reach 2.7; the memory doubles five times.
    x = images().clamp(-2.7, 2.7)
    with torch.autocast('cpu', dtype=dtype):
        y = model(x)
        y.float().square().mean().backward()
    assert y.isfinite().all()
    assert finite(model)


@pytest.mark.parametrize('dtype', HALVES)
def test_amp_is_near_full_precision(dtype: torch.dtype) -> None:
    model = shaken(narrow()).eval()
    x = images()
    with torch.no_grad():
        expected = model(x)
        with torch.autocast('cpu', dtype=dtype):
            y = model(x).float()
    error = (y - expected).abs().max() / expected.abs().max()
    assert error < 30 * torch.finfo(dtype).eps


@pytest.mark.parametrize('dtype', HALVES)
def test_pure_half_precision(dtype: torch.dtype) -> None:
    model = narrow().eval().to(dtype)
    seen = []
    for tap in model.neck.taps:
        module = model.backbone.get_submodule(tap.module)
        module.register_forward_hook(
            lambda _, __, y: seen.append((y.dtype, y.isfinite().all()))
        )
    with torch.no_grad():
        assert model(images().to(dtype)).dtype == dtype
    assert seen == [(dtype, True)] * 6


def test_double_precision() -> None:
    single, double = narrow().train(), narrow().train().double()
    a = step(single, images())
    b = step(double, images().double())
    assert b.dtype == torch.float64
    torch.testing.assert_close(a.double(), b, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize('training', [False, True])
def test_channels_last(training: bool) -> None:
    plain, last = (narrow().train(training) for _ in range(2))
    last = last.to(memory_format=torch.channels_last)
    x = images()
    strided = []
    for unit in last.neck.units:
        unit.register_forward_hook(
            lambda _, __, out: strided.extend(
                t.is_contiguous(memory_format=torch.channels_last) for t in out
            )
        )
    a = step(plain, x)
    b = step(last, x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
    assert all(strided)


def test_deterministic_algorithms() -> None:
    torch.use_deterministic_algorithms(True)
    try:
        runs = []
        for _ in range(2):
            model = narrow().train()
            # Odd sizes, so that every way to meet sizes is taken.
            step(model, images(2, 3, 65, 71))
            runs.append(gradients(model))
        for name, gradient in runs[0].items():
            assert torch.equal(gradient, runs[1][name]), name
    finally:
        torch.use_deterministic_algorithms(False)


def test_large_inputs_stay_finite_in_half_precision() -> None:
    # Unnormalized pixels: 255 times 2^5 is still within fp16.
    model = narrow().eval().half()
    with torch.no_grad():
        y = model(torch.full((1, 3, 64, 64), 255.0, dtype=torch.float16))
    assert y.isfinite().all()
