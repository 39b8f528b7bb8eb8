"""Grids, tiles and arguments of launches."""

import pytest
import torch

from mlfm_mm.models.kernels.triton import launch
from mlfm_mm.models.kernels.triton.launch import (
    Gates,
    gates_of,
    maps_of,
    products_of,
    shares_of,
    tiles_of,
)


@pytest.mark.parametrize('channels', [1, 16, 24, 64, 100, 2048])
@pytest.mark.parametrize('size', [(1, 1, 1), (2, 9, 7), (3, 64, 65)])
@pytest.mark.parametrize('step', [1, 2])
def test_tiles_cover_all(channels: int, size: tuple, step: int) -> None:
    x = torch.empty(size[0], channels, *size[1:])
    (blocks, programs), (pixels, block) = tiles_of(
        x, channels, step, few=False
    )
    cells = size[0] * -(-size[1] // step) * -(-size[2] // step)
    assert blocks * block >= channels > (blocks - 1) * block
    assert programs * pixels >= cells > (programs - 1) * pixels


def test_large_maps_are_gone_through_in_turns() -> None:
    x = torch.empty(128, 64, 512, 1024, device='meta')
    (_, programs), _ = tiles_of(x, 64, few=False)
    assert programs == 65535
    shares = shares_of(x, 3, 64, torch.bfloat16)
    assert shares.shape == (3, launch.FEW_PROGRAMS, 64)
    assert shares.dtype == torch.float32


def test_sums_are_small_beside_the_maps() -> None:
    x = torch.empty(2, 64, 64, 64, device='meta')
    assert shares_of(x, 3, 64, x.dtype).numel() < 0.03 * x.numel()


def test_arguments() -> None:
    x, kernel = torch.empty(2, 3, 4, 5), torch.empty(6, 3, 1, 1)
    assert maps_of(x) == (x, 60, 20, 5, 1) and maps_of(None) is None
    norm = list(torch.empty(4, 6))
    gates = Gates([x], [kernel], norm, [0.5], x.dtype)
    first, second = gates_of(gates)
    assert second is None
    assert first[5] is kernel
    assert len(first[10:]) == 5 and first[14] == 0.5


def test_precision_of_products(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = [torch.empty(8, 3, 1, 1), torch.empty(8, 3, 3, 3)]
    assert products_of(kernels, torch.bfloat16)[:4] == (3, 16, 3, 32)
    monkeypatch.setattr(launch.PLAYED, 'value', False)
    backend = torch.backends.cudnn
    for allowed, product in ((True, 'tf32'), (False, 'tf32x3')):
        monkeypatch.setattr(backend, 'allow_tf32', allowed)
        assert products_of(kernels, torch.float32)[5] == product
        assert products_of(kernels, torch.float16)[5] == 'ieee'
    if conv := getattr(backend, 'conv', None):
        # The way of PyTorch 2.9, after which the older name fails.
        before, conv.fp32_precision = conv.fp32_precision, 'ieee'
        try:
            assert products_of(kernels, torch.float32)[5] == 'tf32x3'
        finally:
            conv.fp32_precision = before
