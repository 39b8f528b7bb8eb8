"""How tensors and numbers become a launch: operators, grids, arguments.

Each launch is a custom operator of PyTorch in ``torch.ops.mlfm_mm``: fake
tensors can infer its output shapes, compilers do not look inside, and counters
of operators count it as one kernel.

Operators accept only tensors, numbers and lists of them, so :class:`Gates` and
:class:`Form` are flattened for a call and rebuilt inside. Outputs that are not
needed are empty tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import NamedTuple

import torch
import triton.language as tl
from torch import Tensor

from ...torch_internals import has_values
from .tiles import AFFINE, PLAYED, SHIFT

# Pixels and channels of a tile, and launch options: the fastest of sixteen
# combinations for a ResNet-18 on an H100. With so few registers a thread, four
# programs fit on a multiprocessor and hide each other's latency.
BLOCK_P, BLOCK_C = 16, 64
OPTIONS = dict(num_warps=4, num_stages=1, maxnreg=128)
# Where programs write sums or first load kernels, at most so many run, each on
# several tiles, so that this traffic stays small beside the maps.
FEW_PROGRAMS, LEAST_TILES = 1024, 8
# Values of a kernel that are multiplied at once; most gates have no more.
MOST_VALUES = 64
# CUDA's limit on the second dimension of a grid.
MOST_PROGRAMS = 65535

Tensors = list[Tensor]
Vectors = list[Tensor | None]

Argument = object  # of a kernel: Tensor, number, None, or a tuple of them
DTYPES = {
    torch.float64: tl.float64,
    torch.float32: tl.float32,
    torch.float16: tl.float16,
    torch.bfloat16: tl.bfloat16,
}


class Gates(NamedTuple):
    """The gates of a unit, as lists of one or two.

    Args:
        sources (list[Tensor]): The maps that they read.
        kernels (list[Tensor]): Their kernels (C, M, K, K).
        norms (list[Tensor]): Mean, variance, weight and bias of each.
        eps (list[float]): What is added to each variance.
        dtype (torch.dtype): The precision of their products.
    """

    sources: Tensors
    kernels: Tensors
    norms: Vectors
    eps: list[float]
    dtype: torch.dtype


class Form(NamedTuple):
    """What kind of unit it is.

    Args:
        measured (bool): Whether its norms measure the batch.
        identity (bool): Whether it is one of ``identity_init``.
        concat (bool): Whether trunk and gates are kept apart in the memory.
        step (int): 2 where the kernels low-pass the memory, else 1.
    """

    measured: bool
    identity: bool
    concat: bool
    step: int


# Their fields as arguments of an operator's schema.
SPREAD: dict[str, tuple[Callable, str]] = {
    'GATES': (
        Gates,
        'Tensor[] sources, Tensor[] kernels, Tensor?[] norms, float[] eps, '
        'ScalarType dtype',
    ),
    'FORM': (Form, 'bool measured, bool identity, bool concat, int step'),
}


def operator(schema: str) -> Callable:
    """Register an operator: a launch that returns what it has filled.

    Args:
        schema (str): Its schema, which begins with its name; ``GATES`` and
            ``FORM`` stand for the fields of these.

    Returns:
        Callable: A decorator for the function that allocates the outputs and
        launches a kernel; it returns the operator.
    """
    name, _, arguments = schema.partition('(')
    words = arguments.partition(')')[0].split(', ')
    spread = [(i, *SPREAD[w]) for i, w in enumerate(words) if w in SPREAD]
    for word, (_, values) in SPREAD.items():
        arguments = arguments.replace(word, values)
    name = f'mlfm_mm::{name}'

    def together(values: Sequence[object]) -> list[object]:
        found = list(values)
        for i, kind, spread_out in spread:
            end = i + len(spread_out.split(', '))
            found[i:end] = [kind(*found[i:end])]
        return found

    def decorate(function: Callable) -> Callable:
        def run(*values: object) -> object:
            return function(*together(values))

        # A call takes a quarter of the time of one through custom_op().
        torch.library.define(name, f'({arguments}')
        torch.library.register_fake(name, run)
        torch.library.impl(name, 'default', run)
        found: Callable = getattr(torch.ops.mlfm_mm, name.split('::')[1])
        return found

    return decorate


def launch(kernel: Callable, grid: tuple[int, ...], *args: Argument) -> None:
    """Launch a kernel on the device of the tensors that it is given.

    Tensors without values, which only tell shapes, launch nothing.
    """
    first = _first_of(args)
    if not has_values(first):
        return
    guard = torch.cuda.device(first.device) if first.is_cuda else None
    with guard or nullcontext():
        options = {} if PLAYED.value else OPTIONS
        kernel[grid](*args, **options)  # type: ignore[index]


def _first_of(args: Sequence[Argument]) -> Tensor:
    first = next(arg for arg in args if isinstance(arg, (Tensor, tuple)))
    return first if isinstance(first, Tensor) else _first_of(first)


# Triton's own take ten times as long, and a step makes many such calls.
def cdiv(a: int, b: int) -> int:
    """Divide, and round up."""
    return -(-a // b)


def power_of_2(n: int) -> int:
    """Return the smallest power of two that is not less."""
    return 1 << (n - 1).bit_length()


def maps_of(x: Tensor | None) -> Argument:
    """Return maps (N, C, H, W) as kernels take them."""
    return None if x is None else (x, *x.stride())


def norm_of(
    vectors: Sequence[Tensor | None], eps: float
) -> tuple[Argument, ...]:
    """Return a norm, or its folded form, as kernels take it."""
    mean, variance, weight, bias = vectors
    if mean is not None:
        return mean, variance, weight, bias, eps
    # Triton 3.6 mishandles None in tuples: unused places hold the bias.
    folded = SHIFT if weight is None else AFFINE
    return bias, bias, bias if weight is None else weight, bias, folded.value


def gates_of(gates: Gates) -> tuple[Argument, Argument]:
    """Return two gates as kernels take them, None for an absent one."""
    found: list[Argument] = [None, None]
    for i, (x, kernel) in enumerate(
        zip(gates.sources, gates.kernels, strict=True)
    ):
        norm: tuple[Argument, ...] = ()
        if gates.norms:
            norm = norm_of(gates.norms[4 * i : 4 * i + 4], gates.eps[i])
        found[i] = x, *x.stride(), kernel, *kernel.stride(), *norm
    return found[0], found[1]


def sums_of(dtype: torch.dtype) -> torch.dtype:
    """Return the precision of sums."""
    return torch.promote_types(dtype, torch.float32)


def tiles_of(
    maps: Tensor, channels: int, step: int = 1, few: bool = True
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Divide maps among programs.

    Args:
        maps (Tensor): Maps whose pixels are visited, (N, C, H, W).
        channels (int): Channels of the result, not always C.
        step (int): Side of the cells of pixels. Defaults to 1.
        few (bool): Whether a program has several tiles. Defaults to True.

    Returns:
        tuple: The grid, which is blocks of channels by programs for each,
        and the size of a tile, which is pixels by channels.

    Example:
        >>> tiles_of(torch.empty(2, 3, 10, 20), channels=100)
        ((2, 4), (16, 64))
    """
    images, _, height, width = maps.shape
    cells = images * cdiv(height, step) * cdiv(width, step)
    programs = cdiv(cells, BLOCK_P)
    if few:
        programs = min(cdiv(programs, LEAST_TILES), FEW_PROGRAMS)
    # tl.dot needs at least 16.
    block = max(16, min(BLOCK_C, power_of_2(channels)))
    grid = cdiv(channels, block), min(programs, MOST_PROGRAMS)
    return grid, (BLOCK_P, block)


def shares_of(
    maps: Tensor, planes: int, channels: int, dtype: torch.dtype, step: int = 1
) -> Tensor:
    """Allocate the sums of each program: (planes, programs, C)."""
    (_, programs), _ = tiles_of(maps, channels, step)
    return maps.new_empty(planes, programs, channels, dtype=sums_of(dtype))


def precision_of(dtype: torch.dtype) -> tl.dtype:
    """Return the dtype of sums, as kernels take it."""
    return DTYPES[sums_of(dtype)]


class Products(NamedTuple):
    """How kernels compute the convolutions of the gates.

    Args:
        COUNT_M (int): Input channels of the input gate.
        BLOCK_M (int): How many values of its kernel are multiplied at once.
        COUNT_I (int): Input channels of the supplement gate, if there is one.
        BLOCK_I (int): How many values of its kernel.
        DOT (tl.dtype): The precision of what is multiplied.
        PRECISION (str): That of the products, as ``tl.dot`` names it.
        ACC (tl.dtype): That of sums.
    """

    COUNT_M: int
    BLOCK_M: int
    COUNT_I: int
    BLOCK_I: int
    DOT: tl.dtype
    PRECISION: str
    ACC: tl.dtype


def products_of(kernels: Sequence[Tensor], dtype: torch.dtype) -> Products:
    """Return the last argument of kernels that convolve."""
    first, last = kernels[0], kernels[-1]
    product = 'ieee'
    if dtype == torch.float32 and not PLAYED.value:
        # TF32 where PyTorch's convolutions use it, else three TF32 products,
        # which are nearly as precise as single precision.
        convolutions = torch.backends.cudnn.conv  # type: ignore[attr-defined]
        # Not by allow_tf32: where this is set, the older name may not be read.
        tf32 = convolutions.fp32_precision == 'tf32'
        product = 'tf32' if tf32 else 'tf32x3'
    return Products(
        *(first.shape[1], block_of(first), last.shape[1], block_of(last)),
        *(DTYPES[dtype], product, precision_of(dtype)),
    )


def block_of(kernel: Tensor) -> int:
    """Return how many of a kernel's values a block has, 16 to 64."""
    return max(16, min(power_of_2(kernel[0].numel()), MOST_VALUES))


def is_one_block(kernel: Tensor) -> bool:
    """Tell whether a kernel has no more values than one block."""
    return kernel[0].numel() <= MOST_VALUES
