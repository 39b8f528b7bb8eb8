"""The launches of the backward pass; arguments are those of :mod:`launch`."""

from __future__ import annotations

import torch
from torch import Tensor

from . import backward
from .launch import (
    Form,
    Gates,
    Tensors,
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
