"""LowPass against PyWavelets."""

import builtins

import pytest
import pywt
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from mlfm_mm import LowPass
from mlfm_mm.models.low_pass import ForgetGate, _haar_of_any_size

SIZES = [(1, 1), (1, 2), (2, 1), (3, 5), (8, 8), (7, 16), (33, 20)]


def oracle(x: torch.Tensor, wavelet: str) -> torch.Tensor:
    band, _ = pywt.dwt2(x.double().numpy(), wavelet, mode='periodization')
    return torch.from_numpy(band)


@pytest.mark.parametrize('wavelet', pywt.wavelist(kind='discrete'))
def test_every_wavelet_equals_pywavelets(wavelet: str) -> None:
    low_pass = LowPass(wavelet)
    for size in SIZES:
        x = torch.randn(2, 3, *size, dtype=torch.float64)
        y, expected = low_pass(x), oracle(x, wavelet)
        assert y.shape == expected.shape
        torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize('wavelet', pywt.wavelist(kind='discrete'))
def test_the_way_up_equals_pywavelets(wavelet: str) -> None:
    up = ForgetGate(-1, wavelet)
    for size in SIZES:
        band = torch.randn(2, 3, *size, dtype=torch.float64)
        expected = pywt.idwt2(
            (band.numpy(), (None, None, None)), wavelet, mode='periodization'
        )
        torch.testing.assert_close(
            up(band), torch.from_numpy(expected), rtol=0, atol=1e-12
        )


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(['haar', 'db4', 'sym5', 'bior2.2', 'coif3']),
)
def test_any_size(height: int, width: int, wavelet: str) -> None:
    x = torch.randn(1, 2, height, width, dtype=torch.float64)
    y = LowPass(wavelet)(x)
    assert y.shape[-2:] == (-(-height // 2), -(-width // 2))
    torch.testing.assert_close(y, oracle(x, wavelet), rtol=0, atol=1e-12)


@pytest.mark.parametrize('wavelet', ['haar', 'db3', 'bior1.3'])
@pytest.mark.parametrize('size', [(4, 6), (5, 3), (1, 1)])
def test_gradient(wavelet: str, size: tuple[int, int]) -> None:
    x = torch.randn(1, 2, *size, dtype=torch.float64, requires_grad=True)
    assert gradcheck(LowPass(wavelet), (x,))


@pytest.mark.parametrize('wavelet', ['haar', 'db2'])
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision(wavelet: str, dtype: torch.dtype) -> None:
    x = torch.randn(2, 3, 17, 22).to(dtype)
    y = LowPass(wavelet)(x)
    assert y.dtype == dtype
    # One rounding of each axis's sum of products.
    tolerance = 8 * torch.finfo(dtype).eps
    torch.testing.assert_close(
        y.double(), oracle(x, wavelet), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize('wavelet', ['haar', 'db2'])
def test_is_linear_and_doubles_a_constant(wavelet: str) -> None:
    low_pass = LowPass(wavelet)
    x, y = torch.randn(2, 1, 2, 9, 12, dtype=torch.float64)
    torch.testing.assert_close(low_pass(x) + low_pass(y), low_pass(x + y))
    ones = torch.ones(1, 1, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(low_pass(ones), 2 * ones[..., :4, :4])


def test_no_weights_and_no_buffers() -> None:
    # Nor does a change of precision of the model round the filter.
    low_pass = LowPass('db4').half().double()
    assert not low_pass.state_dict()
    x = torch.randn(1, 1, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(
        low_pass(x), oracle(x, 'db4'), atol=1e-12, rtol=0
    )


def test_keeps_channels_last() -> None:
    x = torch.randn(2, 8, 6, 6).to(memory_format=torch.channels_last)
    assert LowPass()(x).is_contiguous(memory_format=torch.channels_last)


def test_unknown_wavelet() -> None:
    with pytest.raises(ValueError, match=r"wavelet='morl'.*choose one.*haar"):
        LowPass('morl')


def test_absent_pywavelets(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_pywt(name: str, *args: object) -> object:
        if name == 'pywt':
            raise ImportError(name)
        return real_import(name, *args)

    monkeypatch.setattr(builtins, '__import__', without_pywt)
    LowPass('haar')
    with pytest.raises(ImportError, match='pip install PyWavelets'):
        LowPass('db2')


@pytest.mark.parametrize('size', SIZES)
def test_sizes_that_an_exporter_leaves_open(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    y = _haar_of_any_size(x)
    torch.testing.assert_close(y, oracle(x, 'haar'), rtol=0, atol=1e-12)
