"""The launches of the forward pass; arguments are those of :mod:`launch`."""

from __future__ import annotations

import torch
from torch import Tensor

from . import forward, moments
from .launch import (
    BLOCK_P,
    Argument,
    Form,
    Gates,
    Tensors,
    Vectors,
    cdiv,
    gates_of,
    launch,
    maps_of,
    norm_of,
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
    shares: Tensor,
    sources: Tensors,
    kernels: Tensors,
    dtype: torch.dtype,
    batches: Tensors,
) -> None:
    """Measure the gates' convolutions, and count the batch.

    Returns shares of moments, (3 or 6, programs, C).
    """
    n, _, height, width = sources[0].shape
    channels = len(kernels[0])
    grid, tile = tiles_of(sources[0], channels)
    launch(
        moments.measure_gates,
        grid,
        *gates_of(Gates(sources, kernels, [], [], dtype)),
        (batches[0], batches[1] if len(batches) > 1 else None),
        *(shares, n, height, width, channels, *tile),
        products_of(kernels, dtype),
    )


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
    found: Tensor,
    shares: Tensor,
    running: Tensors,
    batches: Tensors,
    momenta: list[float],
) -> None:
    """Reduce shares to moments, and update the running ones.

    ``running`` are mean and variance of each norm. A momentum below zero
    means a plain average over ``batches``. Returns (norms, 2, C).
    """
    _, programs, channels = shares.shape
    norms: list[Argument] = [
        (*running[2 * i : 2 * i + 2], count, share)
        for i, (count, share) in enumerate(zip(batches, momenta, strict=True))
    ]
    launch(
        moments.finish_moments,
        (cdiv(channels, 16), len(norms)),
        shares,
        *(norms[0], norms[1] if len(norms) > 1 else None),
        *(found, programs, channels, BLOCK_P, 16),
        precision_of(shares.dtype),
    )


def _opened(
    x: Tensor,
    gates: Gates,
    form: Form,
    norm: Vectors,
    norm_eps: float,
    batches: Tensors,
) -> tuple[Tensor, Tensor, Tensor]:
    n, channels, height, width = x.shape
    memory, shares = x.new_empty(0), x.new_empty(0)
    if norm or form.identity or form.concat or form.step > 1:
        last = x.is_contiguous(memory_format=torch.channels_last)
        memory = torch.empty(
            *(n, channels * (2 if form.concat else 1)),
            *(cdiv(height, form.step), cdiv(width, form.step)),
            dtype=x.dtype,
            device=x.device,
            memory_format=torch.channels_last
            if last
            else torch.contiguous_format,
        )
    if form.measured:
        shares = shares_of(x, 3, channels, gates.dtype, form.step)
    return torch.empty_like(x), memory, shares


@operator(
    'open_gates(Tensor x, GATES, FORM, Tensor?[] norm, float norm_eps, '
    'Tensor(a!)[] batches) -> (Tensor, Tensor, Tensor)',
    _opened,
)
def open_gates(
    made: tuple[Tensor, Tensor, Tensor],
    x: Tensor,
    gates: Gates,
    form: Form,
    norm: Vectors,
    norm_eps: float,
    batches: Tensors,
) -> None:
    """Open the gates to the trunk.

    With a ``norm`` the first result is normalized. Without, it is the output
    gate's input, and also the memory if the second result is empty. The third
    result are shares of its moments, if the norm measures them.
    """
    first, memory, shares = made
    measured, *kind = form
    n, channels, height, width = x.shape
    grid, tile = tiles_of(x, channels, form.step)
    launch(
        forward.open_gates,
        grid,
        maps_of(x),
        *gates_of(gates),
        norm_of(norm, norm_eps) if norm else None,
        *(maps_of(first), None) if norm else (None, maps_of(first)),
        maps_of(memory) if memory.numel() else None,
        *(batches[0], shares) if measured else (None, None),
        *(n, height, width, channels, *kind, *tile),
        products_of(gates.kernels, gates.dtype),
    )


def _normalized(
    total: Tensor, x: Tensor | None, norm: Tensors, eps: float
) -> Tensor:
    return torch.empty_like(total)


@operator(
    'normalize(Tensor total, Tensor? x, Tensor[] norm, float eps) -> Tensor',
    _normalized,
)
def normalize(
    out: Tensor, total: Tensor, x: Tensor | None, norm: Tensors, eps: float
) -> None:
    """Normalize maps, and add ``x`` if there is one."""
    n, channels, height, width = total.shape
    grid, tile = tiles_of(total, channels, few=False)
    launch(
        forward.normalize,
        grid,
        *(maps_of(total), maps_of(x), norm_of(norm, eps), maps_of(out)),
        *(n, height, width, channels, *tile, precision_of(total.dtype)),
    )
