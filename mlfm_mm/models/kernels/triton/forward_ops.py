"""The launches of the forward pass; see :mod:`launch` for what they take."""

from __future__ import annotations

import torch
import triton
from torch import Tensor

from . import forward, moments
from .launch import (
    BLOCK_P,
    FORM,
    GATES,
    Argument,
    Tensors,
    Vectors,
    gates_of,
    launch,
    maps_of,
    operator,
    precision_of,
    products_of,
    shares_of,
    tiles_of,
)


def _measured(
    sources: Tensors, kernels: Tensors, dtype: torch.dtype, batches: Tensors
) -> Tensor:
    planes, channels = 3 * len(sources), len(kernels[0])
    return shares_of(sources[0], planes, channels, dtype)


@operator(
    'measure_gates(Tensor[] sources, Tensor[] kernels, ScalarType dtype, '
    'Tensor(a!)[] batches) -> Tensor',
    _measured,
)
def measure_gates(
    sources: Tensors, kernels: Tensors, dtype: torch.dtype, batches: Tensors
) -> Tensor:
    """Measure the gates' convolutions, and count the batch.

    Returns shares of moments, (3 or 6, programs, C).
    """
    shares = _measured(sources, kernels, dtype, batches)
    n, _, height, width = sources[0].shape
    channels = len(kernels[0])
    grid, tile = tiles_of(sources[0], channels, sums=True)
    launch(
        moments.measure_gates,
        grid,
        *gates_of(sources, kernels),
        (batches[0], batches[1] if len(batches) > 1 else None),
        *(shares, n, height, width, channels, *tile),
        *products_of(kernels, dtype),
    )
    return shares


def _finished(
    shares: Tensor, running: Tensors, batches: Tensors, momenta: list[float]
) -> Tensor:
    return shares.new_empty(len(batches), 2, shares.shape[2])


@operator(
    'finish_moments(Tensor shares, Tensor(a!)[] running, Tensor[] batches, '
    'float[] momenta) -> Tensor',
    _finished,
)
def finish_moments(
    shares: Tensor, running: Tensors, batches: Tensors, momenta: list[float]
) -> Tensor:
    """Put shares together, and record them.

    ``running`` are mean and variance of each norm. A momentum below zero
    asks for a plain average over ``batches``. Returns (norms, 2, C).
    """
    found = _finished(shares, running, batches, momenta)
    _, programs, channels = shares.shape
    norms: list[Argument] = [
        (*running[2 * i : 2 * i + 2], count, None if share < 0 else share)
        for i, (count, share) in enumerate(zip(batches, momenta, strict=True))
    ]
    launch(
        moments.finish_moments,
        (triton.cdiv(channels, 16), len(norms)),
        shares,
        *(norms[0], norms[1] if len(norms) > 1 else None),
        *(found, programs, channels, BLOCK_P, 16),
        precision_of(shares.dtype),
    )
    return found


def _opened(
    x: Tensor,
    sources: Tensors,
    kernels: Tensors,
    norms: Vectors,
    eps: list[float],
    dtype: torch.dtype,
    measured: bool,
    identity: bool,
    concat: bool,
    step: int,
    norm: Vectors,
    norm_eps: float,
    batches: Tensors,
) -> tuple[Tensor, Tensor, Tensor]:
    n, channels, height, width = x.shape
    memory, shares = x.new_empty(0), x.new_empty(0)
    if norm or identity or concat or step > 1:
        last = x.is_contiguous(memory_format=torch.channels_last)
        memory = torch.empty(
            *(n, channels * (2 if concat else 1)),
            *(triton.cdiv(height, step), triton.cdiv(width, step)),
            dtype=x.dtype,
            device=x.device,
            memory_format=torch.channels_last
            if last
            else torch.contiguous_format,
        )
    if measured:
        shares = shares_of(x, 3, channels, dtype, step)
    return torch.empty_like(x), memory, shares


@operator(
    f'open_gates(Tensor x, {GATES}, {FORM}, Tensor?[] norm, float norm_eps, '
    'Tensor(a!)[] batches) -> (Tensor, Tensor, Tensor)',
    _opened,
)
def open_gates(
    x: Tensor,
    sources: Tensors,
    kernels: Tensors,
    norms: Vectors,
    eps: list[float],
    dtype: torch.dtype,
    measured: bool,
    identity: bool,
    concat: bool,
    step: int,
    norm: Vectors,
    norm_eps: float,
    batches: Tensors,
) -> tuple[Tensor, Tensor, Tensor]:
    """Open the gates to the trunk.

    With a ``norm`` the first result is normalized; else it waits for it, and
    is the memory, too, where the second is empty. The third are shares of
    its moments, if it was to be measured.
    """
    form = measured, identity, concat, step
    made = _opened(
        x, sources, kernels, norms, eps, dtype, *form, norm, norm_eps, batches
    )
    first, memory, shares = made
    n, channels, height, width = x.shape
    grid, tile = tiles_of(x, channels, step, sums=measured)
    launch(
        forward.open_gates,
        grid,
        maps_of(x),
        *gates_of(sources, kernels, norms, eps),
        (*norm, norm_eps) if norm else None,
        *(maps_of(first), None) if norm else (None, maps_of(first)),
        maps_of(memory) if memory.numel() else None,
        *(batches[0], shares) if measured else (None, None),
        *(n, height, width, channels, identity, concat, step, *tile),
        *products_of(kernels, dtype),
    )
    return made


def _normalized(
    total: Tensor, x: Tensor | None, norm: Tensors, eps: float
) -> Tensor:
    return torch.empty_like(total)


@operator(
    'normalize(Tensor total, Tensor? x, Tensor[] norm, float eps) -> Tensor',
    _normalized,
)
def normalize(
    total: Tensor, x: Tensor | None, norm: Tensors, eps: float
) -> Tensor:
    """Normalize maps, and add ``x`` if there is one."""
    out = _normalized(total, x, norm, eps)
    n, channels, height, width = total.shape
    grid, tile = tiles_of(total, channels)
    launch(
        forward.normalize,
        grid,
        *(maps_of(total), maps_of(x), (*norm, eps), maps_of(out)),
        *(n, height, width, channels, *tile, precision_of(total.dtype)),
    )
    return out
