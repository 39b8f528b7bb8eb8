"""Moments, measured by many programs and reduced in a fixed order.

Each program accumulates count, mean and sum of squares of the pixels that it
visits, and writes them as its *share*: planes of (programs, C). It accumulates
them separately for each place of a tile, so that its threads synchronize only
at the end.
"""

from __future__ import annotations

import triton
import triton.language as tl

from .tiles import (
    gather_and_convolve,
    hold_both,
    per_channel,
    place,
    save_share,
)


@triton.jit
def no_moments(
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr, ACC: tl.constexpr
):
    """Start with zero count, mean and sum of squares."""
    nothing = tl.zeros((BLOCK_P, BLOCK_C), ACC)
    return tl.zeros((BLOCK_P, 1), ACC), nothing, nothing


@triton.jit
def add_moments(count, mean, squares, y, inside):
    """Add a tile to the moments, place by place.

    Distances are from the running mean, so that nothing cancels where means
    are large (Welford 1962).

    Args:
        count: How many values were added before, (pixels, 1).
        mean: Their mean, (pixels, channels).
        squares: Sum of their squared distances from it.
        y: The tile.
        inside: Which of its pixels count, (pixels, 1).
    """
    count += inside.to(count.dtype)
    step = tl.where(inside, y - mean, 0)
    mean += step * (1 / tl.maximum(count, 1))
    squares += step * (y - mean)
    return count, mean, squares


@triton.jit
def save_moments(shares, plane, count, mean, squares, c, channels):
    """Reduce over a tile's places and store one program's moments."""
    total = tl.sum(count, 0)[None, :]
    middle = tl.sum(count * mean, 0)[None, :] / tl.maximum(total, 1)
    off = mean - middle
    around = tl.sum(squares + count * off * off, 0)[None, :]
    everywhere = total + tl.zeros_like(middle)
    save_share(shares, plane, everywhere, c, channels)
    save_share(shares, plane + 1, middle, c, channels)
    save_share(shares, plane + 2, around, c, channels)


@triton.jit
def count_batch(batches):
    """Count a batch, once, before the running moments are updated."""
    first = tl.program_id(0) + tl.program_id(1) == 0
    if batches is not None:
        tl.store(batches, tl.load(batches) + 1, mask=first)


@triton.jit
def measure_gates(
    input_gate, supplement_gate, batches, shares,
    images, height, width, channels,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr, HOW: tl.constexpr,
):  # fmt: skip
    """Measure the convolutions of the gates.

    ``shares`` (3 or 6, programs, C) are count, mean and sum of squares of
    each gate.
    """
    count_batch(batches[0])
    count_batch(batches[1])
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    weights = hold_both(input_gate, supplement_gate, c, channels, HOW)
    pixels = images * height * width
    count, mean, squares = no_moments(BLOCK_P, BLOCK_C, HOW.ACC)
    mean_2, squares_2 = mean, squares
    first, step = tl.program_id(1), tl.num_programs(1)
    for start in range(first * BLOCK_P, pixels, step * BLOCK_P):
        n, h, w, inside = place(start, pixels, height, width, BLOCK_P)
        y, y_2, _patches = gather_and_convolve(
            input_gate, supplement_gate, weights, n, h, w, inside, c,
            height, width, channels, HOW,
        )  # fmt: skip
        before = count
        count, mean, squares = add_moments(
            before, mean, squares, y, inside[:, None]
        )
        if supplement_gate is not None:
            count, mean_2, squares_2 = add_moments(
                before, mean_2, squares_2, y_2, inside[:, None]
            )
    save_moments(shares, 0, count, mean, squares, c, channels)
    if supplement_gate is not None:
        save_moments(shares, 3, count, mean_2, squares_2, c, channels)


@triton.jit
def finish_moments(
    shares, running, running_2, moments, programs, channels,
    BLOCK_S: tl.constexpr, BLOCK_C: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Reduce the shares of all programs, for one norm or two.

    ``running`` is mean, variance, number of batches and momentum of a norm,
    below zero for a plain average. ``moments`` (norms, 2, C) are those of the
    batch.
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
    """Update running moments by those of a batch."""
    average = 1 / tl.load(running[2]).to(ACC)
    share = tl.where(running[3] < 0, average, running[3])
    approach(running[0], mean, share, c, channels, ACC)
    approach(running[1], variance, share, c, channels, ACC)


@triton.jit
def approach(kept, new, share, c, channels, ACC: tl.constexpr):
    """Interpolate stored values towards new ones."""
    old = per_channel(kept, c, channels, ACC)
    moved = (old + share * (new - old)).to(kept.dtype.element_ty)
    tl.store(kept + c[None, :], moved, mask=(c < channels)[None, :])
