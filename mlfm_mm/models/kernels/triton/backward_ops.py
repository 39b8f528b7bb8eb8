"""The launches of the backward pass; see :mod:`launch` for what they take."""

from __future__ import annotations

import torch
from torch import Tensor

from . import backward
from .launch import (
    FORM,
    GATES,
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


def _norm_summed(
    d_out: Tensor, total: Tensor, norm: Tensors, eps: float
) -> Tensor:
    return shares_of(total, 2, total.shape[1], total.dtype)


@operator(
    'sum_norm(Tensor d_out, Tensor total, Tensor[] norm, float eps) -> Tensor',
    _norm_summed,
)
def sum_norm(
    d_out: Tensor, total: Tensor, norm: Tensors, eps: float
) -> Tensor:
    """Sum the gradients of the output gate's shift and scale, in shares."""
    shares = _norm_summed(d_out, total, norm, eps)
    n, channels, height, width = total.shape
    grid, tile = tiles_of(total, channels, sums=True)
    launch(
        backward.sum_norm,
        grid,
        *(maps_of(d_out), maps_of(total), (*norm, eps), shares),
        *(n, height, width, channels, *tile, precision_of(total.dtype)),
    )
    return shares


def _trunk_closed(
    d_out: Tensor | None,
    d_memory: Tensor | None,
    total: Tensor,
    norm: Tensors,
    norm_eps: float,
    sums: Tensor | None,
    sources: Tensors,
    kernels: Tensors,
    norms: Vectors,
    eps: list[float],
    dtype: torch.dtype,
    measured: bool,
    identity: bool,
    concat: bool,
    step: int,
) -> tuple[Tensor, Tensor, Tensor]:
    d_low = total.new_empty(0)
    if identity or concat:
        d_low = torch.empty_like(total)
    planes, channels = 2 * len(sources), total.shape[1]
    shares = shares_of(total, planes, channels, total.dtype)
    return torch.empty_like(total), d_low, shares


@operator(
    'close_trunk(Tensor? d_out, Tensor? d_memory, Tensor total, '
    f'Tensor[] norm, float norm_eps, Tensor? sums, {GATES}, {FORM}) -> '
    '(Tensor, Tensor, Tensor)',
    _trunk_closed,
)
def close_trunk(
    d_out: Tensor | None,
    d_memory: Tensor | None,
    total: Tensor,
    norm: Tensors,
    norm_eps: float,
    sums: Tensor | None,
    sources: Tensors,
    kernels: Tensors,
    norms: Vectors,
    eps: list[float],
    dtype: torch.dtype,
    measured: bool,
    identity: bool,
    concat: bool,
    step: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Go back to the trunk's feature and to the sum of the gates.

    The second gradient is empty where it is the same as the first. The third
    result are shares of the gradients of shift and scale of each gate.
    """
    gates = sources, kernels, norms, eps
    form = measured, identity, concat, step
    made = _trunk_closed(
        d_out, d_memory, total, norm, norm_eps, sums, *gates, dtype, *form
    )
    d_x, d_low, shares = made
    n, channels, height, width = total.shape
    grid, tile = tiles_of(total, channels, sums=True)
    launch(
        backward.close_trunk,
        grid,
        *(maps_of(d_out), maps_of(d_memory), maps_of(total)),
        *((*norm, norm_eps), sums, *gates_of(*gates)),
        *(maps_of(d_x), maps_of(d_low) if d_low.numel() else None, shares),
        *(n, height, width, channels, identity, concat, step, measured),
        *tile,
        *products_of(kernels, dtype),
    )
    return made


def _gates_closed(
    d_low: Tensor,
    sources: Tensors,
    kernels: Tensors,
    norms: Vectors,
    eps: list[float],
    dtype: torch.dtype,
    sums: Tensor,
    measured: bool,
) -> Tensors:
    return [torch.empty_like(d_low, dtype=dtype) for _ in sources]


@operator(
    f'close_gates(Tensor d_low, {GATES}, Tensor sums, bool measured) -> '
    'Tensor[]',
    _gates_closed,
)
def close_gates(
    d_low: Tensor,
    sources: Tensors,
    kernels: Tensors,
    norms: Vectors,
    eps: list[float],
    dtype: torch.dtype,
    sums: Tensor,
    measured: bool,
) -> Tensors:
    """Go back through the gates to what their convolutions returned."""
    gates = sources, kernels, norms, eps
    made = _gates_closed(d_low, *gates, dtype, sums, measured)
    n, channels, height, width = d_low.shape
    grid, tile = tiles_of(d_low, channels)
    launch(
        backward.close_gates,
        grid,
        *(maps_of(d_low), *gates_of(*gates), sums),
        *(maps_of(made[0]), maps_of(made[1]) if len(made) > 1 else None),
        *(n, height, width, channels, measured, *tile),
        *products_of(kernels, dtype),
    )
    return made
