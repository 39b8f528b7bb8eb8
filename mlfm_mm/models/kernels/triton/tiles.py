"""What the kernels share: a tile is some pixels by some channels.

Arguments that belong together come as tuples:

- *maps*: a pointer and the strides of (N, C, H, W), so that any memory format
  will do. Triton finds the axis of stride one, to coalesce accesses.
- *norm*: mean, variance, weight, bias, each of (C,), and eps, or in its place
  the kind of a folded norm (``AFFINE``, ``SHIFT``).
- *gate*: its input maps, its kernel (in the form of maps, too) and its norm,
  in one flat tuple: Triton 3.6 loses strides of one in nested tuples.

What is fixed when a kernel is compiled is in capitals: ``HOW`` are the
:class:`Products` of :mod:`launch`, ``ACC`` is the dtype of sums, single
precision unless everything is in double.
"""

from __future__ import annotations

import os

import triton
import triton.language as tl

# Whether Triton's interpreter runs the kernels on the CPU, for tests. Triton
# reads the same variable when it is imported.
PLAYED = tl.constexpr(os.environ.get('TRITON_INTERPRET') == '1')


# In place of eps: the norm is only weight and bias, or only the bias.
AFFINE, SHIFT = tl.constexpr(-1.0), tl.constexpr(-2.0)


@triton.jit
def at(maps, n, c, h, w):
    """Return pointers into maps, which may have more than 2**31 values."""
    pixel = maps[0] + n.to(tl.int64) * maps[1] + (h * maps[3] + w * maps[4])
    return pixel + c * maps[2]


@triton.jit
def second_half(maps, channels):
    """Skip the first channels of maps."""
    first = maps[0] + channels * maps[2]
    return first, maps[1], maps[2], maps[3], maps[4]


@triton.jit
def place(start, pixels, height, width, BLOCK_P: tl.constexpr):
    """Return image, row and column of the next pixels, and their mask."""
    index = start + tl.arange(0, BLOCK_P)
    row = index // width
    return row // height, row % height, index % width, index < pixels


@triton.jit
def load(maps, n, c, h, w, inside, ACC: tl.constexpr):
    """Load a tile, with zeros outside the maps."""
    pointers = at(maps, n[:, None], c[None, :], h[:, None], w[:, None])
    return tl.load(pointers, mask=inside, other=0).to(ACC)


@triton.jit
def save(maps, n, c, h, w, inside, tile):
    """Store a tile in maps, if not None, in their precision."""
    if maps is not None:
        pointers = at(maps, n[:, None], c[None, :], h[:, None], w[:, None])
        tl.store(pointers, tile.to(maps[0].dtype.element_ty), mask=inside)


@triton.jit
def per_channel(vector, c, channels, ACC: tl.constexpr):
    """Load one value a channel, to broadcast over a tile."""
    return tl.load(vector + c, mask=c < channels, other=0).to(ACC)[None, :]


@triton.jit
def norm_of(gate):
    """Return the norm of a gate."""
    return gate[10:]


@triton.jit
def scale_and_shift(norm, c, channels, ACC: tl.constexpr):
    """Return a norm as a scale and a shift."""
    mean, rstd, weight, bias = load_norm(norm, c, channels, ACC)
    scale = tl.where(norm[4] < 0, weight, weight * rstd)
    scale = tl.where(norm[4] == SHIFT, 1, scale)
    return scale, tl.where(norm[4] < 0, bias, bias - mean * scale)


@triton.jit
def load_norm(norm, c, channels, ACC: tl.constexpr):
    """Load mean, one over standard deviation, weight and bias of a norm."""
    mean = per_channel(norm[0], c, channels, ACC)
    rstd = 1 / tl.sqrt(per_channel(norm[1], c, channels, ACC) + norm[4])
    weight = per_channel(norm[2], c, channels, ACC)
    return mean, rstd, weight, per_channel(norm[3], c, channels, ACC)


@triton.jit
def gather(
    gate, n, h, w, inside, height, width, start, COUNT: tl.constexpr,
    SIZE: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Load the patches of a gate's input around pixels, (pixels, BLOCK_K).

    Values of a patch are ordered as in the kernel: ``COUNT`` maps by ``SIZE``
    x ``SIZE`` neighbours, with ``SIZE`` 1 or 3. ``start`` is the first to
    load. Maps are padded by zeros.
    """
    neighbours: tl.constexpr = SIZE * SIZE
    total: tl.constexpr = COUNT * neighbours
    k = start + tl.arange(0, BLOCK_K)
    i, j = k % neighbours // SIZE - SIZE // 2, k % SIZE - SIZE // 2
    away = k // neighbours * gate[2] + i * gate[3] + j * gate[4]
    if SIZE == 3:
        # One bit for each neighbour that lies inside the map.
        there = tl.where(inside, 0b111111111, 0)
        there &= tl.where(h > 0, 0b111111111, 0b111111000)
        there &= tl.where(h < height - 1, 0b111111111, 0b000111111)
        there &= tl.where(w > 0, 0b111111111, 0b110110110)
        there &= tl.where(w < width - 1, 0b111111111, 0b011011011)
        bit = tl.where(k < total, k % neighbours, neighbours)
        mask = ((there[:, None] >> bit[None, :]) & 1) != 0
    elif total % BLOCK_K == 0:
        mask = inside[:, None]
    else:
        mask = inside[:, None] & (k < total)[None, :]
    here = at(gate, n, 0, h, w)
    return tl.load(here[:, None] + away[None, :], mask=mask, other=0)


@triton.jit
def weights_of(
    gate, c, channels, start, COUNT: tl.constexpr, SIZE: tl.constexpr,
    BLOCK_K: tl.constexpr, DOT: tl.constexpr,
):  # fmt: skip
    """Load a block of a gate's kernel, (BLOCK_K, channels)."""
    kernel = gate[5:10]
    k = start + tl.arange(0, BLOCK_K)
    i, j = k % (SIZE * SIZE) // SIZE, k % SIZE
    away = k // (SIZE * SIZE) * kernel[2] + i * kernel[3] + j * kernel[4]
    return tl.load(
        kernel[0] + c[None, :] * kernel[1] + away[:, None],
        mask=(k < COUNT * SIZE * SIZE)[:, None] & (c < channels)[None, :],
        other=0,
    ).to(DOT)


@triton.jit
def convolve(
    gate, patches, weights, n, h, w, inside, c, height, width, channels,
    COUNT: tl.constexpr, SIZE: tl.constexpr, BLOCK_K: tl.constexpr,
    HOW: tl.constexpr,
):  # fmt: skip
    """Compute a tile of a gate's convolution, by products of matrices.

    The first block of ``patches`` and of ``weights`` is given: kernels are
    loaded once for all tiles, and patches ahead of their use. Most units have
    no other block.
    """
    y = tl.zeros((n.shape[0], c.shape[0]), HOW.ACC)
    y = multiply(patches, weights, y, HOW)
    for start in range(BLOCK_K, COUNT * SIZE * SIZE, BLOCK_K):
        patches = gather(
            gate, n, h, w, inside, height, width, start, COUNT, SIZE, BLOCK_K
        )
        weights = weights_of(
            gate, c, channels, start, COUNT, SIZE, BLOCK_K, HOW.DOT
        )
        y = multiply(patches, weights, y, HOW)
    return y


@triton.jit
def hold_both(input_gate, supplement_gate, c, channels, HOW: tl.constexpr):
    """Load the first block of each gate's kernel."""
    first = weights_of(
        input_gate, c, channels, 0, HOW.COUNT_M, 1, HOW.BLOCK_M, HOW.DOT
    )
    second = first
    if supplement_gate is not None:
        second = weights_of(
            supplement_gate, c, channels, 0, HOW.COUNT_I, 3, HOW.BLOCK_I,
            HOW.DOT,
        )  # fmt: skip
    return first, second


@triton.jit
def gather_both(
    input_gate, supplement_gate, n, h, w, inside, height, width,
    HOW: tl.constexpr,
):  # fmt: skip
    """Load the first block of each gate's patches."""
    first = gather(
        input_gate, n, h, w, inside, height, width, 0, HOW.COUNT_M, 1,
        HOW.BLOCK_M,
    )  # fmt: skip
    second = first
    if supplement_gate is not None:
        second = gather(
            supplement_gate, n, h, w, inside, height, width, 0, HOW.COUNT_I,
            3, HOW.BLOCK_I,
        )  # fmt: skip
    return first, second


@triton.jit
def convolve_both(
    input_gate, supplement_gate, patches, weights, n, h, w, inside, c,
    height, width, channels, HOW: tl.constexpr,
):  # fmt: skip
    """Compute a tile of each gate's convolution."""
    first = convolve(
        input_gate, patches[0], weights[0], n, h, w, inside, c, height,
        width, channels, HOW.COUNT_M, 1, HOW.BLOCK_M, HOW,
    )  # fmt: skip
    second = first
    if supplement_gate is not None:
        second = convolve(
            supplement_gate, patches[1], weights[1], n, h, w, inside, c,
            height, width, channels, HOW.COUNT_I, 3, HOW.BLOCK_I, HOW,
        )  # fmt: skip
    return first, second


@triton.jit
def gather_and_convolve(
    input_gate, supplement_gate, weights, n, h, w, inside, c,
    height, width, channels, HOW: tl.constexpr,
):  # fmt: skip
    """Load the patches, and compute a tile of each gate's convolution."""
    patches = gather_both(
        input_gate, supplement_gate, n, h, w, inside, height, width, HOW
    )
    first, second = convolve_both(
        input_gate, supplement_gate, patches, weights, n, h, w, inside, c,
        height, width, channels, HOW,
    )  # fmt: skip
    return first, second, patches[1]


@triton.jit
def multiply(a, b, y, HOW: tl.constexpr):
    """Add a matrix product, computed in the precision ``HOW.DOT``."""
    a, b = a.to(HOW.DOT), b.to(HOW.DOT)
    if PLAYED:  # the interpreter reads bfloat16 in products as integers
        a, b = a.to(HOW.ACC), b.to(HOW.ACC)
    return tl.dot(a, b, y, input_precision=HOW.PRECISION, out_dtype=HOW.ACC)


@triton.jit
def save_share(shares, plane, values, c, channels):
    """Store a row of one program's part in sums: (planes, programs, C)."""
    programs = tl.num_programs(1)
    row = (plane * programs + tl.program_id(1)) * channels
    tl.store(shares + row + c[None, :], values, mask=(c < channels)[None, :])
