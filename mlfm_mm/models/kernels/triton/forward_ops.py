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


@operator(
    'measure_gates(Tensor[] sources, Tensor[] kernels, ScalarType dtype, '
    'Tensor(a!)[] batches) -> Tensor'
)
def measure_gates(
    sources: Tensors, kernels: Tensors, dtype: torch.dtype, batches: Tensors
) -> Tensor:
    """Measure the gates' convolutions, and count the batch.

    Returns shares of moments, (3 or 6, programs, C).
    """
    n, _, height, width = sources[0].shape
    channels = len(kernels[0])
    shares = shares_of(sources[0], 3 * len(sources), channels, dtype)
    grid, tile = tiles_of(sources[0], channels)
    launch(
        moments.measure_gates,
        grid,
        *gates_of(Gates(sources, kernels, [], [], dtype)),
        (batches[0], batches[1] if len(batches) > 1 else None),
        *(shares, n, height, width, channels, *tile),
        products_of(kernels, dtype),
    )
    return shares


@operator(
    'finish_moments(Tensor shares, Tensor(a!)[] running, Tensor[] batches, '
    'float[] momenta) -> Tensor'
)
def finish_moments(
    shares: Tensor, running: Tensors, batches: Tensors, momenta: list[float]
) -> Tensor:
    """Reduce shares to moments, and update the running ones.

    ``running`` are mean and variance of each norm. A momentum below zero
    means a plain average over ``batches``. Returns (norms, 2, C).
    """
    _, programs, channels = shares.shape
    found = shares.new_empty(len(batches), 2, channels)
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
    return found


@operator(
    'open_gates(Tensor x, GATES, FORM, Tensor?[] norm, float norm_eps, '
    'Tensor(a!)[] batches) -> (Tensor, Tensor, Tensor)'
)
def open_gates(
    x: Tensor,
    gates: Gates,
    form: Form,
    norm: Vectors,
    norm_eps: float,
    batches: Tensors,
) -> tuple[Tensor, Tensor, Tensor]:
    """Open the gates to the trunk.

    With a ``norm`` the first result is normalized. Without, it is the output
    gate's input, and also the memory if the second result is empty. The third
    result are shares of its moments, if the norm measures them.
    """
    measured, *kind = form
    n, channels, height, width = x.shape
    first, memory, shares = torch.empty_like(x), x.new_empty(0), x.new_empty(0)
    if norm or form.identity or form.concat or form.step > 1:
        memory = _memory_of(x, form)
    if measured:
        shares = shares_of(x, 3, channels, gates.dtype, form.step)
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
    return first, memory, shares


def _memory_of(x: Tensor, form: Form) -> Tensor:
    """Allocate the new memory, in the memory format of the feature."""
    n, channels, height, width = x.shape
    last = x.is_contiguous(memory_format=torch.channels_last)
    return torch.empty(
        *(n, channels * (2 if form.concat else 1)),
        *(cdiv(height, form.step), cdiv(width, form.step)),
        dtype=x.dtype,
        device=x.device,
        memory_format=torch.channels_last if last else torch.contiguous_format,
    )


@operator(
    'normalize(Tensor total, Tensor? x, Tensor[] norm, float eps) -> Tensor'
)
def normalize(
    total: Tensor, x: Tensor | None, norm: Tensors, eps: float
) -> Tensor:
    """Normalize maps, and add ``x`` if there is one."""
    n, channels, height, width = total.shape
    out = torch.empty_like(total)
    grid, tile = tiles_of(total, channels, few=False)
    launch(
        forward.normalize,
        grid,
        *(maps_of(total), maps_of(x), norm_of(norm, eps), maps_of(out)),
        *(n, height, width, channels, *tile, precision_of(total.dtype)),
    )
    return out
