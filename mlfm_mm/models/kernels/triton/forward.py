"""The kernels of the forward pass.

In inference there is one, :func:`open_gates`. In training batch norms have to
measure before they can normalize, which takes five launches:

1. :func:`measure_gates` convolves, and keeps moments only: each program those
   of the pixels that it went through.
2. :func:`finish_moments` puts them together, in an order that is always the
   same, and records them as running moments.
3. :func:`open_gates` convolves again, opens the gates to the trunk, and
   measures the sum.
4. :func:`finish_moments` again,
5. :func:`normalize`.

A map of the gates' many channels is never written. Programs are numbered by
blocks of channels first: those that read the same pixels run side by side.
"""

from __future__ import annotations

import triton
import triton.language as tl

from .tiles import (
    add_moments,
    convolve,
    load,
    per_channel,
    place,
    save,
    save_share,
    scale_and_shift,
    second_half,
)


@triton.jit
def count_batch(batches):
    """Count a batch, once, before its moments are recorded."""
    first = tl.program_id(0) + tl.program_id(1) == 0
    if batches is not None:
        tl.store(batches, tl.load(batches) + 1, mask=first)


@triton.jit
def measure_gates(
    input_gate, supplement_gate, batches, shares,
    images, height, width, channels,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_I: tl.constexpr,
    DOT: tl.constexpr, PRECISION: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Measure the convolutions of the gates.

    ``shares`` (3 or 6, programs, C) are count, mean and sum of squares of
    each gate.
    """
    count_batch(batches[0])
    count_batch(batches[1])
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    pixels = images * height * width
    count = tl.zeros((1, BLOCK_C), ACC)
    mean, squares, mean_2, squares_2 = count, count, count, count
    first, step = tl.program_id(1), tl.num_programs(1)
    for start in range(first * BLOCK_P, pixels, step * BLOCK_P):
        index = start + tl.arange(0, BLOCK_P)
        n, h, w = place(index, height, width)
        inside = index < pixels
        before = count
        y = convolve(
            input_gate, n, h, w, inside, c, height, width, channels,
            1, BLOCK_M, DOT, PRECISION, ACC,
        )  # fmt: skip
        count, mean, squares = add_moments(
            before, mean, squares, y, inside[:, None]
        )
        if supplement_gate is not None:
            y = convolve(
                supplement_gate, n, h, w, inside, c, height, width, channels,
                3, BLOCK_I, DOT, PRECISION, ACC,
            )  # fmt: skip
            count, mean_2, squares_2 = add_moments(
                before, mean_2, squares_2, y, inside[:, None]
            )
    save_share(shares, 0, count, c, channels)
    save_share(shares, 1, mean, c, channels)
    save_share(shares, 2, squares, c, channels)
    if supplement_gate is not None:
        save_share(shares, 3, count, c, channels)
        save_share(shares, 4, mean_2, c, channels)
        save_share(shares, 5, squares_2, c, channels)


@triton.jit
def finish_moments(
    shares, running, running_2, moments, programs, channels,
    BLOCK_S: tl.constexpr, BLOCK_C: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Put the shares of all programs together, for one norm or two.

    ``running`` is mean, variance, number of batches and momentum of a norm,
    None for a plain average. ``moments`` (norms, 2, C) are what the batch is
    to be normalized by.
    """
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    there = (c < channels)[None, :]
    norm = tl.program_id(1)
    plane = programs * channels
    shares += norm * 3 * plane + c[None, :]
    count = tl.zeros((1, BLOCK_C), ACC)
    mean, squares = count, count
    for start in range(0, programs, BLOCK_S):
        s = (start + tl.arange(0, BLOCK_S))[:, None]
        inside = (s < programs) & there
        row = shares + s * channels
        some = tl.load(row, mask=inside, other=0)
        part = tl.load(row + plane, mask=inside, other=0)
        count += tl.sum(some, 0)[None, :]
        mean += tl.sum(some * part, 0)[None, :]
    mean /= tl.maximum(count, 1)
    for start in range(0, programs, BLOCK_S):
        s = (start + tl.arange(0, BLOCK_S))[:, None]
        inside = (s < programs) & there
        row = shares + s * channels
        some = tl.load(row, mask=inside, other=0)
        off = tl.load(row + plane, mask=inside, other=0) - mean
        part = tl.load(row + 2 * plane, mask=inside, other=0)
        squares += tl.sum(part + some * off * off, 0)[None, :]
    found = moments + norm * 2 * channels + c[None, :]
    tl.store(found, mean, mask=there)
    tl.store(found + channels, squares / tl.maximum(count, 1), mask=there)
    unbiased = squares / tl.maximum(count - 1, 1)
    if norm == 0:
        record(running, mean, unbiased, c, channels, ACC)
    elif running_2 is not None:
        record(running_2, mean, unbiased, c, channels, ACC)


@triton.jit
def record(running, mean, variance, c, channels, ACC: tl.constexpr):
    """Let running moments come nearer to those of a batch."""
    if running[3] is None:
        share = 1 / tl.load(running[2]).to(ACC)
    else:
        share = running[3]
    approach(running[0], mean, share, c, channels, ACC)
    approach(running[1], variance, share, c, channels, ACC)


@triton.jit
def approach(kept, new, share, c, channels, ACC: tl.constexpr):
    """Move numbers that are kept a share of the way to new ones."""
    old = per_channel(kept, c, channels, ACC)
    moved = (old + share * (new - old)).to(kept.dtype.element_ty)
    tl.store(kept + c[None, :], moved, mask=(c < channels)[None, :])


@triton.jit
def open_gates(
    x, input_gate, supplement_gate, norm,
    out, total, memory, batches, shares,
    images, height, width, channels,
    IDENTITY: tl.constexpr, CONCAT: tl.constexpr, STEP: tl.constexpr,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_I: tl.constexpr,
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
    rows, columns = tl.cdiv(height, STEP), tl.cdiv(width, STEP)
    cells = images * rows * columns
    scale, shift = scale_and_shift(input_gate[3], c, channels, ACC)
    if supplement_gate is not None:
        scale_2, shift_2 = scale_and_shift(
            supplement_gate[3], c, channels, ACC
        )
    if out is not None:
        out_scale, out_shift = scale_and_shift(norm, c, channels, ACC)
    count = tl.zeros((1, BLOCK_C), ACC)
    mean, squares = count, count
    first, step = tl.program_id(1), tl.num_programs(1)
    for start in range(first * BLOCK_P, cells, step * BLOCK_P):
        index = start + tl.arange(0, BLOCK_P)
        n, i, j = place(index, rows, columns)
        valid = index < cells
        tile = valid[:, None] & (c < channels)[None, :]
        band = tl.zeros((BLOCK_P, BLOCK_C), ACC)
        low_band = band
        for corner in range(STEP * STEP):
            # Where the size is odd the last row or column counts twice.
            h = tl.minimum(i * STEP + corner // STEP, height - 1)
            w = tl.minimum(j * STEP + corner % STEP, width - 1)
            once = valid & (i * STEP + corner // STEP < height)
            once &= j * STEP + corner % STEP < width
            inside = once[:, None] & (c < channels)[None, :]
            y = convolve(
                input_gate, n, h, w, valid, c, height, width, channels,
                1, BLOCK_M, DOT, PRECISION, ACC,
            )  # fmt: skip
            low = tl.maximum(y * scale + shift, 0)
            if supplement_gate is not None:
                y = convolve(
                    supplement_gate, n, h, w, valid, c, height, width,
                    channels, 3, BLOCK_I, DOT, PRECISION, ACC,
                )  # fmt: skip
                low += tl.maximum(y * scale_2 + shift_2, 0)
            trunk = load(x, n, c, h, w, tile, ACC)
            mixed = low if IDENTITY else trunk + low
            if out is not None:
                y = mixed * out_scale + out_shift
                if IDENTITY:
                    y += trunk
                save(out, n, c, h, w, inside, y)
            if total is not None:
                save(total, n, c, h, w, inside, mixed)
            if shares is not None:
                # As it was rounded, so that it is measured as it is kept.
                mixed = mixed.to(total[0].dtype.element_ty).to(ACC)
                count, mean, squares = add_moments(
                    count, mean, squares, mixed, once[:, None]
                )
            if CONCAT:
                band += trunk
                low_band += low
            else:
                band += trunk + low
        if memory is not None:
            # A band of the Haar wavelet: half the sum of four.
            save(memory, n, c, i, j, tile, band / STEP)
            if CONCAT:
                behind = second_half(memory, channels)
                save(behind, n, c, i, j, tile, low_band / STEP)
    if shares is not None:
        save_share(shares, 0, count, c, channels)
        save_share(shares, 1, mean, c, channels)
        save_share(shares, 2, squares, c, channels)


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
