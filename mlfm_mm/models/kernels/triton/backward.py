"""The kernels of the backward pass.

1. :func:`sum_norm` adds up what the output gate's norm needs to know of the
   gradient that arrives.
2. :func:`close_trunk` goes back through that norm and through the forget
   gate, to the gradient of the trunk's feature. It convolves again to see
   where the gates were open, and adds up what their norms need to know.
3. :func:`close_gates` goes back through these norms, to the gradients of the
   gates' convolutions.

The convolutions themselves, which are all that is left, are differentiated
by the library that PyTorch has for them. Sums are written by programs and
added up afterwards, always in the same order.
"""

from __future__ import annotations

import triton
import triton.language as tl

from .tiles import (
    convolve,
    load,
    mean_and_rstd,
    per_channel,
    place,
    save,
    save_share,
    second_half,
)


@triton.jit
def sum_norm(
    d_out, total, norm, shares, images, height, width, channels,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Sum the gradients of a norm's shift and scale: (2, programs, C)."""
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    pixels = images * height * width
    mean, rstd = mean_and_rstd(norm, c, channels, ACC)
    d_shift = tl.zeros((1, BLOCK_C), ACC)
    d_scale = d_shift
    first, step = tl.program_id(1), tl.num_programs(1)
    for start in range(first * BLOCK_P, pixels, step * BLOCK_P):
        index = start + tl.arange(0, BLOCK_P)
        n, h, w = place(index, height, width)
        inside = (index < pixels)[:, None] & (c < channels)[None, :]
        grad = load(d_out, n, c, h, w, inside, ACC)
        plain = (load(total, n, c, h, w, inside, ACC) - mean) * rstd
        d_shift += tl.sum(grad, 0)[None, :]
        d_scale += tl.sum(grad * plain, 0)[None, :]
    save_share(shares, 0, d_shift, c, channels)
    save_share(shares, 1, d_scale, c, channels)


@triton.jit
def through_norm(
    grad, plain, norm, rstd, sums, c, channels, values,
    MEASURED: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Differentiate a norm by what it was given.

    Args:
        grad: Gradient of what the norm returned.
        plain: What it returned, before its own scale and shift.
        norm: The norm.
        rstd: One over the standard deviation.
        sums: Gradients of its shift and of its scale, (2, C).
        c: The tile's channels.
        channels: How many there are.
        values: How many values of a channel were measured.
        MEASURED: Whether they were; else the moments were given.
        ACC: Type of sums.
    """
    if MEASURED:
        d_shift = per_channel(sums, c, channels, ACC)
        d_scale = per_channel(sums + channels, c, channels, ACC)
        grad -= (d_shift + plain * d_scale) / values
    return grad * (per_channel(norm[2], c, channels, ACC) * rstd)


@triton.jit
def forgotten(
    d_memory, n, c, h, w, inside, height, width,
    STEP: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Bring the gradient of a memory back to the level before."""
    grad = load(d_memory, n, c, h // STEP, w // STEP, inside, ACC)
    # The last of an odd number was taken twice.
    twice_h = (h == height - 1) & (height % STEP != 0)
    twice_w = (w == width - 1) & (width % STEP != 0)
    times = tl.where(twice_h, 2, 1) * tl.where(twice_w, 2, 1)
    return grad * (times.to(ACC) / STEP)[:, None]


@triton.jit
def arriving(
    d_out, d_memory, total, norm, sums, n, c, h, w, inside,
    height, width, channels, pixels,
    IDENTITY: tl.constexpr, CONCAT: tl.constexpr, STEP: tl.constexpr,
    MEASURED: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Bring what arrives to the trunk's feature and to the gates' sum."""
    to_x = tl.zeros((n.shape[0], c.shape[0]), ACC)
    to_low = to_x
    if d_out is not None:
        grad = load(d_out, n, c, h, w, inside, ACC)
        mean, rstd = mean_and_rstd(norm, c, channels, ACC)
        plain = (load(total, n, c, h, w, inside, ACC) - mean) * rstd
        to_low = through_norm(
            grad, plain, norm, rstd, sums, c, channels, pixels, MEASURED, ACC
        )
        to_x = grad if IDENTITY else to_low
    if d_memory is not None:
        grad = forgotten(
            d_memory, n, c, h, w, inside, height, width, STEP, ACC
        )
        to_x += grad
        if CONCAT:
            behind = second_half(d_memory, channels)
            grad = forgotten(
                behind, n, c, h, w, inside, height, width, STEP, ACC
            )
        to_low += grad
    return to_x, to_low


@triton.jit
def close_trunk(
    d_out, d_memory, total, norm, sums, input_gate, supplement_gate,
    d_x, d_low, shares, images, height, width, channels,
    IDENTITY: tl.constexpr, CONCAT: tl.constexpr, STEP: tl.constexpr,
    MEASURED: tl.constexpr, BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_I: tl.constexpr,
    DOT: tl.constexpr, PRECISION: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Go back to the trunk's feature and to the sum of the gates.

    Either gradient that arrives, ``d_out`` or ``d_memory``, may be None.
    ``d_low`` is None where it equals ``d_x``. ``shares`` (2 or 4, programs,
    C) are gradients of shift and scale of each gate's norm.
    """
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    pixels = images * height * width
    d_shift = tl.zeros((1, BLOCK_C), ACC)
    d_scale, d_shift_2, d_scale_2 = d_shift, d_shift, d_shift
    first, step = tl.program_id(1), tl.num_programs(1)
    for start in range(first * BLOCK_P, pixels, step * BLOCK_P):
        index = start + tl.arange(0, BLOCK_P)
        n, h, w = place(index, height, width)
        valid = index < pixels
        inside = valid[:, None] & (c < channels)[None, :]
        to_x, to_low = arriving(
            d_out, d_memory, total, norm, sums, n, c, h, w, inside, height,
            width, channels, pixels, IDENTITY, CONCAT, STEP, MEASURED, ACC,
        )  # fmt: skip
        save(d_x, n, c, h, w, inside, to_x)
        save(d_low, n, c, h, w, inside, to_low)
        # Where a tile hangs over, nothing arrives.
        to_low = tl.where(inside, to_low, 0)
        grad, plain, _ = through_relu(
            to_low, input_gate, n, h, w, valid, c, height, width, channels,
            1, BLOCK_M, DOT, PRECISION, ACC,
        )  # fmt: skip
        d_shift += tl.sum(grad, 0)[None, :]
        d_scale += tl.sum(grad * plain, 0)[None, :]
        if supplement_gate is not None:
            grad, plain, _ = through_relu(
                to_low, supplement_gate, n, h, w, valid, c, height, width,
                channels, 3, BLOCK_I, DOT, PRECISION, ACC,
            )  # fmt: skip
            d_shift_2 += tl.sum(grad, 0)[None, :]
            d_scale_2 += tl.sum(grad * plain, 0)[None, :]
    save_share(shares, 0, d_shift, c, channels)
    save_share(shares, 1, d_scale, c, channels)
    if supplement_gate is not None:
        save_share(shares, 2, d_shift_2, c, channels)
        save_share(shares, 3, d_scale_2, c, channels)


@triton.jit
def through_relu(
    grad, gate, n, h, w, inside, c, height, width, channels,
    SIZE: tl.constexpr, BLOCK_K: tl.constexpr,
    DOT: tl.constexpr, PRECISION: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Let a gradient through where the gate was open.

    Returns:
        The gradient behind the gate's norm, what the norm returned before
        its own scale and shift, and one over its standard deviation.
    """
    y = convolve(
        gate, n, h, w, inside, c, height, width, channels,
        SIZE, BLOCK_K, DOT, PRECISION, ACC,
    )  # fmt: skip
    norm = gate[3]
    mean, rstd = mean_and_rstd(norm, c, channels, ACC)
    plain = (y - mean) * rstd
    behind = plain * per_channel(norm[2], c, channels, ACC)
    behind += per_channel(norm[3], c, channels, ACC)
    return tl.where(behind > 0, grad, 0), plain, rstd


@triton.jit
def close_gates(
    d_low, input_gate, supplement_gate, sums, d_input, d_supplement,
    images, height, width, channels, MEASURED: tl.constexpr,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_I: tl.constexpr,
    DOT: tl.constexpr, PRECISION: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Go back through the gates to what their convolutions returned."""
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    pixels = images * height * width
    first, step = tl.program_id(1), tl.num_programs(1)
    for start in range(first * BLOCK_P, pixels, step * BLOCK_P):
        index = start + tl.arange(0, BLOCK_P)
        n, h, w = place(index, height, width)
        valid = index < pixels
        inside = valid[:, None] & (c < channels)[None, :]
        to_low = load(d_low, n, c, h, w, inside, ACC)
        grad, plain, rstd = through_relu(
            to_low, input_gate, n, h, w, valid, c, height, width, channels,
            1, BLOCK_M, DOT, PRECISION, ACC,
        )  # fmt: skip
        grad = through_norm(
            grad, plain, input_gate[3], rstd, sums, c, channels, pixels,
            MEASURED, ACC,
        )  # fmt: skip
        save(d_input, n, c, h, w, inside, grad)
        if supplement_gate is not None:
            grad, plain, rstd = through_relu(
                to_low, supplement_gate, n, h, w, valid, c, height, width,
                channels, 3, BLOCK_I, DOT, PRECISION, ACC,
            )  # fmt: skip
            grad = through_norm(
                grad, plain, supplement_gate[3], rstd, sums + 2 * channels,
                c, channels, pixels, MEASURED, ACC,
            )  # fmt: skip
            save(d_supplement, n, c, h, w, inside, grad)
