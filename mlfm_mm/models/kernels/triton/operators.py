"""The launches as operators; arguments are those of :mod:`launch`."""

from __future__ import annotations

import torch
from torch import Tensor

from . import backward, forward, moments
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
    sums_of,
    tiles_of,
)

# ---- forward --------------------------------------------------------------


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


# ---- backward -------------------------------------------------------------


@operator(
    'sum_norm(Tensor d_out, Tensor total, Tensor[] norm, float eps) -> Tensor'
)
def sum_norm(
    d_out: Tensor, total: Tensor, norm: Tensors, eps: float
) -> Tensor:
    """Sum the gradients of the output gate's shift and scale, in shares."""
    n, channels, height, width = total.shape
    shares = shares_of(total, 2, channels, total.dtype)
    grid, tile = tiles_of(total, channels)
    launch(
        backward.sum_norm,
        grid,
        *(maps_of(d_out), maps_of(total), norm_of(norm, eps), shares),
        *(n, height, width, channels, *tile, precision_of(total.dtype)),
    )
    return shares


@operator(
    'close_trunk(Tensor? d_out, Tensor? d_memory, Tensor total, '
    'Tensor[] norm, float norm_eps, Tensor? sums, GATES, FORM) -> '
    '(Tensor, Tensor, Tensor)'
)
def close_trunk(
    d_out: Tensor | None,
    d_memory: Tensor | None,
    total: Tensor,
    norm: Tensors,
    norm_eps: float,
    sums: Tensor | None,
    gates: Gates,
    form: Form,
) -> tuple[Tensor, Tensor, Tensor]:
    """Differentiate by the trunk's feature and by the sum of the gates.

    The second gradient is empty where it equals the first. The third result
    are shares of the gradients of shift and scale of each gate.
    """
    measured, *kind = form
    n, channels, height, width = total.shape
    d_x, d_low = torch.empty_like(total), total.new_empty(0)
    if form.identity or form.concat:
        d_low = torch.empty_like(total)
    shares = shares_of(total, 2 * len(gates.sources), channels, total.dtype)
    grid, tile = tiles_of(total, channels)
    launch(
        backward.close_trunk,
        grid,
        *(maps_of(d_out), maps_of(d_memory), maps_of(total)),
        *(norm_of(norm, norm_eps), sums, *gates_of(gates)),
        *(maps_of(d_x), maps_of(d_low) if d_low.numel() else None, shares),
        *(n, height, width, channels, *kind, measured, *tile),
        products_of(gates.kernels, gates.dtype),
    )
    return d_x, d_low, shares


@operator(
    'close_gates(Tensor d_low, GATES, Tensor sums, bool measured, '
    'bool with_kernel) -> (Tensor, Tensor, Tensor)'
)
def close_gates(
    d_low: Tensor,
    gates: Gates,
    sums: Tensor,
    measured: bool,
    with_kernel: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Differentiate by the outputs of the gates' convolutions.

    For the supplement gate, either by that, or shares of the gradient of its
    kernel, (programs, C, M, K, K); what is not needed is empty.
    """
    n, channels, height, width = d_low.shape
    grid, tile = tiles_of(d_low, channels)
    d_input = torch.empty_like(d_low, dtype=gates.dtype)
    d_supplement, d_kernel = d_input.new_empty(0), d_input.new_empty(0)
    if with_kernel:
        shape = grid[1], *gates.kernels[1].shape
        d_kernel = d_low.new_empty(shape, dtype=sums_of(gates.dtype))
    elif len(gates.sources) > 1:
        d_supplement = torch.empty_like(d_input)
    launch(
        backward.close_gates,
        grid,
        *(maps_of(d_low), *gates_of(gates), sums, maps_of(d_input)),
        maps_of(d_supplement) if d_supplement.numel() else None,
        d_kernel if d_kernel.numel() else None,
        *(n, height, width, channels, measured, *tile),
        products_of(gates.kernels, gates.dtype),
    )
    return d_input, d_supplement, d_kernel
