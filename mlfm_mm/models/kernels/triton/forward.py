"""The kernels of the forward pass.

In inference there is one, :func:`open_gates`. In training batch norms need
the batch's moments before they can normalize, which takes five launches:

1. ``measure_gates`` (of :mod:`moments`) convolves, and writes moments only.
2. ``finish_moments`` reduces them and updates the running ones.
3. :func:`open_gates` convolves again, adds gates and trunk, and measures the
   sum.
4. ``finish_moments`` again,
5. :func:`normalize`.

The gates' maps are never written. Blocks of channels are the first dimension
of a grid, so that programs that read the same pixels run side by side.
"""

from __future__ import annotations

import triton
import triton.language as tl

from .moments import add_moments, count_batch, no_moments, save_moments
from .tiles import (
    gather_and_convolve,
    hold_both,
    load,
    norm_of,
    place,
    save,
    scale_and_shift,
    second_half,
)


@triton.jit
def open_gates(
    x, input_gate, supplement_gate, norm,
    out, total, memory, batches, shares,
    images, height, width, channels,
    IDENTITY: tl.constexpr, CONCAT: tl.constexpr, STEP: tl.constexpr,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr, HOW: tl.constexpr,
):  # fmt: skip
    """Open both gates to the trunk, and run the forget gate.

    Programs visit cells of ``STEP`` x ``STEP`` pixels, each of which becomes
    one pixel of the new memory. Results that are not None are written:
    ``out`` is normalized by ``norm``; ``total`` is not normalized yet, and
    ``shares`` are its moments.
    """
    count_batch(batches)
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    # Once, not for each tile.
    weights = hold_both(input_gate, supplement_gate, c, channels, HOW)
    scales = scales_of(input_gate, supplement_gate, c, channels, HOW.ACC)
    last = scales
    if norm is not None:
        last = scale_and_shift(norm, c, channels, HOW.ACC)
    rows, columns = tl.cdiv(height, STEP), tl.cdiv(width, STEP)
    cells = images * rows * columns
    count, mean, squares = no_moments(BLOCK_P, BLOCK_C, HOW.ACC)
    first, step = tl.program_id(1) * BLOCK_P, tl.num_programs(1) * BLOCK_P
    for start in range(first, cells, step):
        n, i, j, valid = place(start, cells, rows, columns, BLOCK_P)
        kept = tl.zeros((BLOCK_P, BLOCK_C), HOW.ACC)
        kept_apart = kept
        for corner in range(STEP * STEP):
            h, w, first_time = corner_of(i, j, corner, height, width, STEP)
            trunk, low, mixed = open_pixels(
                x, input_gate, supplement_gate, weights, scales, last,
                out, total, n, c, h, w, valid, first_time,
                height, width, channels, IDENTITY, HOW,
            )  # fmt: skip
            kept += trunk if CONCAT else trunk + low
            kept_apart += low
            if shares is not None:
                once = (valid & first_time)[:, None]
                count, mean, squares = add_moments(
                    count, mean, squares, mixed, once
                )
        tile = valid[:, None] & (c < channels)[None, :]
        save_memory(
            memory, n, c, i, j, tile, kept, kept_apart, channels, CONCAT, STEP
        )
    if shares is not None:
        save_moments(shares, 0, count, mean, squares, c, channels)


@triton.jit
def open_pixels(
    x, input_gate, supplement_gate, weights, scales, last,
    out, total, n, c, h, w, inside, first_time, height, width, channels,
    IDENTITY: tl.constexpr, HOW: tl.constexpr,
):  # fmt: skip
    """Open the gates at some pixels, and write the trunk's new feature.

    The last row or column of an odd number is visited twice, for the memory,
    and written once.

    Returns:
        The trunk's feature, the sum of the gates, and the output gate's input.
    """
    tile = inside[:, None] & (c < channels)[None, :]
    # All loads are issued before the first use.
    trunk = load(x, n, c, h, w, tile, HOW.ACC)
    y, y_2, _ = gather_and_convolve(
        input_gate, supplement_gate, weights, n, h, w, inside, c,
        height, width, channels, HOW,
    )  # fmt: skip
    low = relu(y * scales[0] + scales[1])
    if supplement_gate is not None:
        low += relu(y_2 * scales[2] + scales[3])
    mixed = low if IDENTITY else trunk + low
    once = first_time[:, None] & tile
    if total is not None:
        save(total, n, c, h, w, once, mixed)
        # Its moments are of the rounded values.
        mixed = mixed.to(total[0].dtype.element_ty).to(HOW.ACC)
    if out is not None:
        y = mixed * last[0] + last[1]
        save(out, n, c, h, w, once, y + trunk if IDENTITY else y)
    return trunk, low, mixed


@triton.jit
def save_memory(
    memory, n, c, i, j, inside, kept, kept_apart, channels,
    CONCAT: tl.constexpr, STEP: tl.constexpr,
):  # fmt: skip
    """Store the new memory, if there is one, from the sums of each cell.

    The low-low band of the Haar wavelet is half the sum of four pixels.
    """
    save(memory, n, c, i, j, inside, kept / STEP)
    if CONCAT:
        behind = second_half(memory, channels)
        save(behind, n, c, i, j, inside, kept_apart / STEP)


@triton.jit
def relu(y):
    """Clip at zero, and pass NaN on, which a GPU's maximum would drop."""
    return tl.maximum(y, 0, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def scales_of(input_gate, supplement_gate, c, channels, ACC: tl.constexpr):
    """Return the norm of each gate as a scale and a shift."""
    scale, shift = scale_and_shift(norm_of(input_gate), c, channels, ACC)
    scale_2, shift_2 = scale, shift
    if supplement_gate is not None:
        scale_2, shift_2 = scale_and_shift(
            norm_of(supplement_gate), c, channels, ACC
        )
    return scale, shift, scale_2, shift_2


@triton.jit
def corner_of(i, j, corner, height, width, STEP: tl.constexpr):
    """Find a pixel of a cell, and tell whether it is visited the first time.

    Where a cell crosses the border, the last row or column is repeated.
    """
    h, w = i * STEP + corner // STEP, j * STEP + corner % STEP
    first_time = (h < height) & (w < width)
    return tl.minimum(h, height - 1), tl.minimum(w, width - 1), first_time


@triton.jit
def normalize(
    total, x, norm, out, images, height, width, channels,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Normalize; add the trunk's feature ``x`` if it is not None."""
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    scale, shift = scale_and_shift(norm, c, channels, ACC)
    pixels = images * height * width
    first, step = tl.program_id(1), tl.num_programs(1)
    for start in range(first * BLOCK_P, pixels, step * BLOCK_P):
        n, h, w, valid = place(start, pixels, height, width, BLOCK_P)
        inside = valid[:, None] & (c < channels)[None, :]
        y = load(total, n, c, h, w, inside, ACC) * scale + shift
        if x is not None:
            y += load(x, n, c, h, w, inside, ACC)
        save(out, n, c, h, w, inside, y)
