"""The kernels of the forward pass.

In inference there is one, :func:`open_gates`. In training batch norms have to
measure before they can normalize, which takes five launches:

1. ``measure_gates`` (of :mod:`moments`) convolves, and keeps moments only.
2. ``finish_moments`` puts them together and records them.
3. :func:`open_gates` convolves again, opens the gates to the trunk, and
   measures the sum.
4. ``finish_moments`` again,
5. :func:`normalize`.

A map of the gates' many channels is never written. Programs are numbered by
blocks of channels first: those that read the same pixels run side by side.
"""

from __future__ import annotations

import triton
import triton.language as tl

from .moments import add_moments, count_batch, no_moments, save_moments
from .tiles import (
    convolve,
    gather,
    load,
    norm_of,
    place,
    save,
    scale_and_shift,
    second_half,
    weights_of,
)


@triton.jit
def open_gates(
    x, input_gate, supplement_gate, norm,
    out, total, memory, batches, shares,
    images, height, width, channels,
    IDENTITY: tl.constexpr, CONCAT: tl.constexpr, STEP: tl.constexpr,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr,
    COUNT_M: tl.constexpr, BLOCK_M: tl.constexpr,
    COUNT_I: tl.constexpr, BLOCK_I: tl.constexpr,
    DOT: tl.constexpr, PRECISION: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Open both gates to the trunk, and forget.

    Programs go by cells of ``STEP`` x ``STEP`` pixels, each of which becomes
    one pixel of the new memory. Of the results, those that are not None are
    written: ``out`` is normalized by ``norm``; ``total`` is yet to be
    normalized, and ``shares`` are its moments.
    """
    count_batch(batches)
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    # Once, not for each tile.
    weights = weights_of(input_gate, c, channels, 0, COUNT_M, 1, BLOCK_M, DOT)
    scale, shift = scale_and_shift(norm_of(input_gate), c, channels, ACC)
    if supplement_gate is not None:
        weights_2 = weights_of(
            supplement_gate, c, channels, 0, COUNT_I, 3, BLOCK_I, DOT
        )
        scale_2, shift_2 = scale_and_shift(
            norm_of(supplement_gate), c, channels, ACC
        )
    if norm is not None:
        scale_3, shift_3 = scale_and_shift(norm, c, channels, ACC)
    rows, columns = tl.cdiv(height, STEP), tl.cdiv(width, STEP)
    cells = images * rows * columns
    count, mean, squares = no_moments(BLOCK_P, BLOCK_C, ACC)
    first, step = tl.program_id(1) * BLOCK_P, tl.num_programs(1) * BLOCK_P
    for start in range(first, cells, step):
        index = start + tl.arange(0, BLOCK_P)
        n, i, j = place(index, rows, columns)
        valid = index < cells
        tile = valid[:, None] & (c < channels)[None, :]
        kept = tl.zeros((BLOCK_P, BLOCK_C), ACC)
        kept_apart = kept
        for corner in range(STEP * STEP):
            h, w, first_time = corner_of(i, j, corner, height, width, STEP)
            # The last of an odd number counts twice in the memory only.
            once = (valid & first_time)[:, None]
            # All is loaded before anything waits for it.
            trunk = load(x, n, c, h, w, tile, ACC)
            patches = gather(
                input_gate,
                n,
                h,
                w,
                valid,
                height,
                width,
                0,
                COUNT_M,
                1,
                BLOCK_M,
            )
            if supplement_gate is not None:
                patches_2 = gather(
                    supplement_gate, n, h, w, valid, height, width, 0,
                    COUNT_I, 3, BLOCK_I,
                )  # fmt: skip
            y = convolve(
                input_gate, patches, weights, n, h, w, valid, c, height,
                width, channels, COUNT_M, 1, BLOCK_M, DOT, PRECISION, ACC,
            )  # fmt: skip
            low = tl.maximum(y * scale + shift, 0)
            if supplement_gate is not None:
                y = convolve(
                    supplement_gate, patches_2, weights_2, n, h, w, valid, c,
                    height, width, channels, COUNT_I, 3, BLOCK_I, DOT,
                    PRECISION, ACC,
                )  # fmt: skip
                low += tl.maximum(y * scale_2 + shift_2, 0)
            if CONCAT:
                kept += trunk
                kept_apart += low
            else:
                kept += trunk + low
            mixed = low if IDENTITY else trunk + low
            if out is not None:
                y = mixed * scale_3 + shift_3
                y = y + trunk if IDENTITY else y
                save(out, n, c, h, w, once & tile, y)
            save(total, n, c, h, w, once & tile, mixed)
            if shares is not None:
                # As it was rounded, so that it is measured as it is kept.
                mixed = mixed.to(total[0].dtype.element_ty).to(ACC)
                count, mean, squares = add_moments(
                    count, mean, squares, mixed, once
                )
        # A band of the Haar wavelet is half the sum of four.
        save(memory, n, c, i, j, tile, kept / STEP)
        if CONCAT:
            behind = second_half(memory, channels)
            save(behind, n, c, i, j, tile, kept_apart / STEP)
    if shares is not None:
        save_moments(shares, 0, count, mean, squares, c, channels)


@triton.jit
def corner_of(i, j, corner, height, width, STEP: tl.constexpr):
    """Find a pixel of a cell, and tell whether it is met for the first time.

    Where a cell hangs over, the last row or column stands in for the next.
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
        index = start + tl.arange(0, BLOCK_P)
        n, h, w = place(index, height, width)
        inside = (index < pixels)[:, None] & (c < channels)[None, :]
        y = load(total, n, c, h, w, inside, ACC) * scale + shift
        if x is not None:
            y += load(x, n, c, h, w, inside, ACC)
        save(out, n, c, h, w, inside, y)
