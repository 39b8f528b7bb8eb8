"""The kernels of the backward pass.

1. :func:`sum_norm` sums the gradients of the output gate's shift and scale,
   which its norm needs.
2. :func:`close_trunk` goes back through that norm and through the forget
   gate, to the gradient of the trunk's feature. It convolves again to see
   where the gates were open, and sums the same for their norms.
3. :func:`close_gates` goes back through these norms, to the gradients of the
   gates' convolutions. The supplement gate's map is not written: the image
   rarely needs a gradient, and that of the kernel is one more product with the
   patches at hand.

The remaining convolutions are differentiated by PyTorch's own operator. Each
program writes its part of a sum; the parts are added in a fixed order.
"""

from __future__ import annotations

import triton
import triton.language as tl

from .tiles import (
    convolve_both,
    gather_and_convolve,
    gather_both,
    hold_both,
    load,
    load_norm,
    multiply,
    norm_of,
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
    mean, rstd, _, _ = load_norm(norm, c, channels, ACC)
    d_shift = tl.zeros((BLOCK_P, BLOCK_C), ACC)
    d_scale = d_shift
    first, step = tl.program_id(1), tl.num_programs(1)
    for start in range(first * BLOCK_P, pixels, step * BLOCK_P):
        n, h, w, valid = place(start, pixels, height, width, BLOCK_P)
        inside = valid[:, None] & (c < channels)[None, :]
        grad = load(d_out, n, c, h, w, inside, ACC)
        plain = (load(total, n, c, h, w, inside, ACC) - mean) * rstd
        d_shift += grad
        d_scale += grad * plain
    save_sums(shares, 0, d_shift, d_scale, c, channels)


@triton.jit
def save_sums(shares, plane, d_shift, d_scale, c, channels):
    """Sum two tiles over their pixels, and store that."""
    save_share(shares, plane, tl.sum(d_shift, 0)[None, :], c, channels)
    save_share(shares, plane + 1, tl.sum(d_scale, 0)[None, :], c, channels)


@triton.jit
def load_sums(
    sums, c, channels, values, MEASURED: tl.constexpr, ACC: tl.constexpr
):
    """Load the gradients of a norm's shift and scale, divided by its values.

    Args:
        sums: These gradients, (2, C), or None where none arrive.
        c: The tile's channels.
        channels: How many there are.
        values: How many values of a channel the norm measured.
        MEASURED: Whether it did; else its moments are constants.
        ACC: Dtype of sums.
    """
    d_shift = tl.zeros((1, c.shape[0]), ACC)
    d_scale = d_shift
    if MEASURED and sums is not None:
        d_shift = per_channel(sums, c, channels, ACC) / values
        d_scale = per_channel(sums + channels, c, channels, ACC) / values
    return d_shift, d_scale


@triton.jit
def through_norm(grad, plain, norm, sums):
    """Differentiate a norm by its input.

    Args:
        grad: Gradient of its output.
        plain: Its output before scale and shift.
        norm: Mean, rstd, weight and bias.
        sums: From :func:`load_sums`.
    """
    return (grad - (sums[0] + plain * sums[1])) * (norm[2] * norm[1])


@triton.jit
def forgotten(
    d_memory, n, c, h, w, inside, height, width,
    STEP: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Differentiate the forget gate at some pixels."""
    grad = load(d_memory, n, c, h // STEP, w // STEP, inside, ACC)
    # The last row or column of an odd number counted twice.
    twice_h = (h == height - 1) & (height % STEP != 0)
    twice_w = (w == width - 1) & (width % STEP != 0)
    times = tl.where(twice_h, 2, 1) * tl.where(twice_w, 2, 1)
    return grad * (times.to(ACC) / STEP)[:, None]


@triton.jit
def arriving(
    d_out, d_memory, total, norm, sums, n, c, h, w, inside,
    height, width, channels,
    IDENTITY: tl.constexpr, CONCAT: tl.constexpr, STEP: tl.constexpr,
    ACC: tl.constexpr,
):  # fmt: skip
    """Compute the gradients of the trunk's feature and of the gates' sum."""
    to_x = tl.zeros((n.shape[0], c.shape[0]), ACC)
    to_low = to_x
    if d_out is not None:
        grad = load(d_out, n, c, h, w, inside, ACC)
        plain = load(total, n, c, h, w, inside, ACC)
        plain = (plain - norm[0]) * norm[1]
        to_low = through_norm(grad, plain, norm, sums)
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
    # Zero outside the maps.
    return to_x, tl.where(inside, to_low, 0)


@triton.jit
def close_trunk(
    d_out, d_memory, total, norm, sums, input_gate, supplement_gate,
    d_x, d_low, shares, images, height, width, channels,
    IDENTITY: tl.constexpr, CONCAT: tl.constexpr, STEP: tl.constexpr,
    MEASURED: tl.constexpr, BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr,
    HOW: tl.constexpr,
):  # fmt: skip
    """Differentiate by the trunk's feature and by the sum of the gates.

    Either gradient that arrives, ``d_out`` or ``d_memory``, may be None.
    ``d_low`` is None where it equals ``d_x``. ``shares`` (2 or 4, programs,
    C) are gradients of shift and scale of each gate's norm.
    """
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    pixels = images * height * width
    norms = norms_of(input_gate, supplement_gate, c, channels, HOW.ACC)
    weights = hold_both(input_gate, supplement_gate, c, channels, HOW)
    last = load_norm(norm, c, channels, HOW.ACC)
    last_sums = load_sums(sums, c, channels, pixels, MEASURED, HOW.ACC)
    d_shift = tl.zeros((BLOCK_P, BLOCK_C), HOW.ACC)
    d_scale, d_shift_2, d_scale_2 = d_shift, d_shift, d_shift
    first, step = tl.program_id(1), tl.num_programs(1)
    for start in range(first * BLOCK_P, pixels, step * BLOCK_P):
        n, h, w, valid = place(start, pixels, height, width, BLOCK_P)
        inside = valid[:, None] & (c < channels)[None, :]
        # All loads are issued before the first use.
        patches = gather_both(
            input_gate, supplement_gate, n, h, w, valid, height, width, HOW
        )
        to_x, to_low = arriving(
            d_out, d_memory, total, last, last_sums, n, c, h, w, inside,
            height, width, channels, IDENTITY, CONCAT, STEP, HOW.ACC,
        )  # fmt: skip
        save(d_x, n, c, h, w, inside, to_x)
        save(d_low, n, c, h, w, inside, to_low)
        y, y_2 = convolve_both(
            input_gate, supplement_gate, patches, weights, n, h, w, valid, c,
            height, width, channels, HOW,
        )  # fmt: skip
        grad, plain = through_relu(to_low, y, norms[0])
        d_shift, d_scale = d_shift + grad, d_scale + grad * plain
        if supplement_gate is not None:
            grad, plain = through_relu(to_low, y_2, norms[1])
            d_shift_2, d_scale_2 = d_shift_2 + grad, d_scale_2 + grad * plain
    save_sums(shares, 0, d_shift, d_scale, c, channels)
    if supplement_gate is not None:
        save_sums(shares, 2, d_shift_2, d_scale_2, c, channels)


@triton.jit
def norms_of(input_gate, supplement_gate, c, channels, ACC: tl.constexpr):
    """Load the norm of each gate that there is."""
    first = load_norm(norm_of(input_gate), c, channels, ACC)
    second = first
    if supplement_gate is not None:
        second = load_norm(norm_of(supplement_gate), c, channels, ACC)
    return first, second


@triton.jit
def through_relu(grad, y, norm):
    """Differentiate a gate's ReLU.

    Returns:
        The gradient of the gate's norm, and the norm's output for ``y`` before
        scale and shift.
    """
    plain = (y - norm[0]) * norm[1]
    is_open = plain * norm[2] + norm[3] > 0
    return tl.where(is_open, grad, 0), plain


@triton.jit
def close_gates(
    d_low, input_gate, supplement_gate, sums, d_input, d_supplement, d_kernel,
    images, height, width, channels, MEASURED: tl.constexpr,
    BLOCK_P: tl.constexpr, BLOCK_C: tl.constexpr, HOW: tl.constexpr,
):  # fmt: skip
    """Differentiate by the outputs of the gates' convolutions.

    For the supplement gate, go on to the gradient of its kernel if
    ``d_kernel`` is given: each program's part, (programs, C, patch).
    """
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    pixels = images * height * width
    norms = norms_of(input_gate, supplement_gate, c, channels, HOW.ACC)
    weights = hold_both(input_gate, supplement_gate, c, channels, HOW)
    BLOCK_I: tl.constexpr = HOW.BLOCK_I
    d_weights = tl.zeros((BLOCK_C, BLOCK_I), HOW.ACC)
    gate_sums = load_sums(sums, c, channels, pixels, MEASURED, HOW.ACC)
    if supplement_gate is not None:
        gate_sums_2 = load_sums(
            sums + 2 * channels, c, channels, pixels, MEASURED, HOW.ACC
        )
    first, step = tl.program_id(1), tl.num_programs(1)
    for start in range(first * BLOCK_P, pixels, step * BLOCK_P):
        n, h, w, valid = place(start, pixels, height, width, BLOCK_P)
        inside = valid[:, None] & (c < channels)[None, :]
        to_low = load(d_low, n, c, h, w, inside, HOW.ACC)
        y, y_2, patches = gather_and_convolve(
            input_gate, supplement_gate, weights, n, h, w, valid, c,
            height, width, channels, HOW,
        )  # fmt: skip
        grad, plain = through_relu(to_low, y, norms[0])
        grad = through_norm(grad, plain, norms[0], gate_sums)
        save(d_input, n, c, h, w, inside, grad)
        if supplement_gate is not None:
            grad, plain = through_relu(to_low, y_2, norms[1])
            grad = through_norm(grad, plain, norms[1], gate_sums_2)
            save(d_supplement, n, c, h, w, inside, grad)
            if d_kernel is not None:
                # Outside the maps, patches are zero.
                d_weights = multiply(tl.trans(grad), patches, d_weights, HOW)
    if d_kernel is not None:
        save_kernel(d_kernel, d_weights, c, channels, HOW.COUNT_I * 9, BLOCK_I)


@triton.jit
def save_kernel(
    d_kernel, tile, c, channels, COUNT: tl.constexpr, BLOCK_K: tl.constexpr
):
    """Store one program's part of the gradient of a kernel."""
    k = tl.arange(0, BLOCK_K)
    row = (tl.program_id(1) * channels + c) * COUNT
    inside = (c < channels)[:, None] & (k < COUNT)[None, :]
    tl.store(d_kernel + row[:, None] + k[None, :], tile, mask=inside)
