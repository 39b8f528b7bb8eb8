"""What the kernels share: a tile is some pixels by some channels.

Arguments that belong together come as tuples:

- *maps*: a pointer and the strides of (N, C, H, W), so that any layout will
  do. Lanes that follow the stride of one read memory in a row: Triton finds
  out which do.
- *norm*: mean, variance, weight, bias, each of (C,), and eps. What has been
  folded into a convolution has neither mean, variance nor weight.
- *gate*: the maps that it reads, how many of them there are, its kernel (laid
  out as maps, too) and its norm, all in one row: in tuples within tuples
  Triton 3.6 loses strides of one.

Sums are in ``ACC``, single precision unless everything is in double.
"""

from __future__ import annotations

import os

import triton
import triton.language as tl

# Whether Triton plays a GPU on the CPU, slowly, for tests. It looks at this
# when it is imported, too.
PLAYED = tl.constexpr(os.environ.get('TRITON_INTERPRET') == '1')


@triton.jit
def at(maps, n, c, h, w):
    """Point at values of maps. Of images there may be more than 2**31."""
    offset = n.to(tl.int64) * maps[1]
    return maps[0] + (offset + c * maps[2] + h * maps[3] + w * maps[4])


@triton.jit
def second_half(maps, channels):
    """Skip the first channels of maps."""
    first = maps[0] + channels * maps[2]
    return first, maps[1], maps[2], maps[3], maps[4]


@triton.jit
def place(index, height, width):
    """Tell image, row and column of a pixel by its number."""
    row = index // width
    return row // height, row % height, index % width


@triton.jit
def load(maps, n, c, h, w, inside, ACC: tl.constexpr):
    """Load a tile, zeros where it hangs over."""
    pointers = at(maps, n[:, None], c[None, :], h[:, None], w[:, None])
    return tl.load(pointers, mask=inside, other=0).to(ACC)


@triton.jit
def save(maps, n, c, h, w, inside, tile):
    """Store a tile in maps, if they are there, rounded as they are."""
    if maps is not None:
        pointers = at(maps, n[:, None], c[None, :], h[:, None], w[:, None])
        tl.store(pointers, tile.to(maps[0].dtype.element_ty), mask=inside)


@triton.jit
def per_channel(vector, c, channels, ACC: tl.constexpr):
    """Load a row of one value a channel, to be used with a tile."""
    return tl.load(vector + c, mask=c < channels, other=0).to(ACC)[None, :]


@triton.jit
def norm_of(gate):
    """Give the norm of a gate."""
    return gate[11:]


@triton.jit
def scale_and_shift(norm, c, channels, ACC: tl.constexpr):
    """Write a norm as a scale and a shift."""
    scale = tl.full((1, c.shape[0]), 1, ACC)
    shift = per_channel(norm[3], c, channels, ACC)
    if norm[2] is not None:
        scale = per_channel(norm[2], c, channels, ACC)
    if norm[0] is not None:
        mean, rstd = mean_and_rstd(norm, c, channels, ACC)
        scale *= rstd
        shift -= mean * scale
    return scale, shift


@triton.jit
def mean_and_rstd(norm, c, channels, ACC: tl.constexpr):
    """Load what a norm goes by; rstd is one over standard deviation."""
    mean = per_channel(norm[0], c, channels, ACC)
    variance = per_channel(norm[1], c, channels, ACC)
    return mean, 1 / tl.sqrt(variance + norm[4])


@triton.jit
def load_norm(norm, c, channels, ACC: tl.constexpr):
    """Load mean, rstd, weight and bias of a norm."""
    mean, rstd = mean_and_rstd(norm, c, channels, ACC)
    weight = per_channel(norm[2], c, channels, ACC)
    return mean, rstd, weight, per_channel(norm[3], c, channels, ACC)


@triton.jit
def convolve(
    gate, n, h, w, inside, c, height, width, channels,
    SIZE: tl.constexpr, BLOCK_K: tl.constexpr,
    DOT: tl.constexpr, PRECISION: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    """Compute a tile of a gate's convolution, by products of matrices.

    Of the patches around the pixels, (pixels, K), and the kernel, (K,
    channels), blocks of ``BLOCK_K`` are multiplied at a time, in the
    precision ``DOT``. ``SIZE`` is that of the kernel, 1 or 3.
    """
    source, kernel = gate[:5], gate[6:11]
    taps = SIZE * SIZE
    count = gate[5] * taps
    y = tl.zeros((n.shape[0], c.shape[0]), ACC)
    for start in range(0, count, BLOCK_K):
        k = start + tl.arange(0, BLOCK_K)
        i, j = k % taps // SIZE, k % SIZE
        row = h[:, None] + (i - SIZE // 2)[None, :]
        column = w[:, None] + (j - SIZE // 2)[None, :]
        there = inside[:, None] & (k < count)[None, :]
        if SIZE > 1:  # zeros are around the maps
            there &= (row >= 0) & (row < height)
            there &= (column >= 0) & (column < width)
        patches = tl.load(
            at(source, n[:, None], (k // taps)[None, :], row, column),
            mask=there,
            other=0,
        )
        weights = tl.load(
            at(kernel, c[None, :], (k // taps)[:, None], i[:, None],
               j[:, None]),
            mask=(k < count)[:, None] & (c < channels)[None, :],
            other=0,
        )  # fmt: skip
        patches, weights = patches.to(DOT), weights.to(DOT)
        if PLAYED:  # which takes bfloat16 in products for integers
            patches, weights = patches.to(ACC), weights.to(ACC)
        y = tl.dot(
            patches, weights, y, input_precision=PRECISION, out_dtype=ACC
        )
    return y


@triton.jit
def save_share(shares, plane, values, c, channels):
    """Store a row of one program's part in sums: (planes, programs, C)."""
    programs = tl.num_programs(1)
    row = (plane * programs + tl.program_id(1)) * channels
    tl.store(shares + row + c[None, :], values, mask=(c < channels)[None, :])
