"""Moments, measured by many programs and put together in a fixed order.

Each program keeps count, mean and sum of squares of the pixels that it goes
through, and writes them as its *share*: planes of (programs, C).
"""

from __future__ import annotations

import triton
import triton.language as tl

from .tiles import convolve, per_channel, place, save_share


@triton.jit
def no_moments(BLOCK_C: tl.constexpr, ACC: tl.constexpr):
    """Begin with nothing: count, mean and sum of squares."""
    nothing = tl.zeros((1, BLOCK_C), ACC)
    return nothing, nothing, nothing


@triton.jit
def add_moments(count, mean, squares, y, inside):
    """Add a tile to the moments of those before, channel by channel.

    Each tile is measured about its own mean, so that nothing cancels where
    means are large (Chan, Golub and LeVeque 1979).

    Args:
        count: How many values were measured before.
        mean: Their mean, (1, C).
        squares: Sum of their squared distances from it, (1, C).
        y: The tile.
        inside: Which of its pixels count, (pixels, 1).
    """
    more = tl.sum(inside.to(y.dtype))
    tile_mean = tl.sum(tl.where(inside, y, 0), 0)[None, :]
    tile_mean /= tl.maximum(more, 1)
    off = tl.where(inside, y - tile_mean, 0)
    share = more / tl.maximum(count + more, 1)
    step = tile_mean - mean
    squares += tl.sum(off * off, 0)[None, :] + step * step * count * share
    return count + more, mean + step * share, squares


@triton.jit
def save_moments(shares, plane, count, mean, squares, c, channels):
    """Store one program's moments, if asked."""
    if shares is not None:
        save_share(shares, plane, count, c, channels)
        save_share(shares, plane + 1, mean, c, channels)
        save_share(shares, plane + 2, squares, c, channels)


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
    count, mean, squares = no_moments(BLOCK_C, ACC)
    _, mean_2, squares_2 = no_moments(BLOCK_C, ACC)
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
    save_moments(shares, 0, count, mean, squares, c, channels)
    if supplement_gate is not None:
        save_moments(shares, 3, count, mean_2, squares_2, c, channels)


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
    count, mean, squares = no_moments(BLOCK_C, ACC)
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
