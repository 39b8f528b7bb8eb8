"""A memory unit on a GPU, by a few kernels written in Triton.

An eager network on a GPU is bound by launches and by bytes. In inference a
unit is one launch, which reads the trunk's feature, the memory and the image,
and writes the new feature and the new memory, low-passed. In training it is
five launches, and seven in the backward pass. Besides its inputs a unit saves
only the map that the output gate normalizes; the gates' maps are never
written. From the mathematics to the machine:

- :mod:`unit`: the unit in inference, and as one differentiable operation,
- :mod:`arguments`: a unit's tensors and options, as operators take them,
- :mod:`operators`: each launch as an operator,
- :mod:`launch`: grids and tiles,
- :mod:`forward`, :mod:`moments`, :mod:`backward`: the kernels,
- :mod:`tiles`: what the kernels share.

Sums are reduced in a fixed order, without atomics, so results are
deterministic.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...fuse import gates_of
from ..checks import Form, is_inferring

if TYPE_CHECKING:
    from ...lfmu import LFMU

__all__ = ['check_triton', 'choose', 'is_default']

DTYPES = [torch.float16, torch.bfloat16, torch.float32]
# The oldest version that the kernels were tested with.
OLDEST = (3, 6)
# The oldest GPUs that they are compiled for (A100); they ran on an H100.
OLDEST_GPU = (8, 0)
# Channels of the largest memory. The kernels recompute convolutions where
# PyTorch reads a map: beyond this many channels that costs more than it saves,
# by an estimate for an H100.
MOST_CHANNELS = 256


def check_triton() -> None:
    """Refuse to work without Triton.

    Raises:
        ImportError: It is not there, or too old.
    """
    if why := _lack():
        raise ImportError(
            f"kernels='triton' needs Triton 3.6 or newer, which {why}: it "
            'comes with PyTorch 2.11 for Linux and CUDA; or use '
            "kernels='auto'."
        )


@cache
def is_default(device: torch.device) -> bool:
    """Tell whether a device runs these kernels by default.

    Args:
        device (torch.device): Where the unit is.
    """
    on_cuda = device.type == 'cuda' and torch.cuda.is_available()
    if not on_cuda or torch.version.hip is not None or _lack():
        return False
    return torch.cuda.get_device_capability(device) >= OLDEST_GPU


def _lack() -> str:
    """Say why Triton cannot be used, ``''`` if it can."""
    if find_spec('triton') is None:
        return 'is not installed'
    from triton import __version__ as version

    is_old = tuple(map(int, version.split('.')[:2])) < OLDEST
    return f'is {version}' if is_old else ''


def choose(
    unit: LFMU, x: Tensor, memory: Tensor, image: Tensor | None
) -> Form | None:
    """Choose the form of a unit in Triton, None where it does not apply."""
    if not _can_read(unit, x, memory, image):
        return None
    # Imported late, since Triton may not be installed.
    from .unit import infer, train

    return infer if is_inferring(unit) else train


def is_played() -> bool:
    """Tell whether Triton's interpreter runs, by TRITON_INTERPRET=1."""
    from .tiles import PLAYED

    return bool(PLAYED.value)


def _can_read(
    unit: LFMU, x: Tensor, memory: Tensor, image: Tensor | None
) -> bool:
    """Tell whether device, dtypes and sizes of tensors are supported.

    Kernels trust them: maps of other sizes than the unit's are left to the
    formulas, which broadcast them, or say what is wrong.
    """
    if memory.shape[1] > MOST_CHANNELS or not x.numel():
        return False
    gates, maps = gates_of(unit), [x]
    weights = [gate.conv.weight for gate in gates]
    for weight, source, side in zip(
        weights, (memory, image), (1, 3), strict=False
    ):
        if source is None:
            return False
        count = source.shape[1]
        if weight.shape != (x.shape[1], count, side, side):
            return False
        if source.shape != (len(x), count, *x.shape[2:]):
            return False
        maps.append(source)
    # On a GPU tiles in double precision do not fit into registers.
    dtypes = [*DTYPES, torch.float64] if is_played() else DTYPES
    if not torch.is_autocast_enabled(x.device.type):
        dtypes = [t for t in dtypes if t == weights[0].dtype]
    device = 'cpu' if is_played() else 'cuda'
    # Kernels index pixels, and the values of one image, by 32 bits.
    few = max(x.numel() // x.shape[1], 2 * x[0].numel(), memory[0].numel())
    return (few < 2**30 and x.device.type == device) and all(
        t.device == x.device and t.dtype in dtypes and _span(t) < 2**31
        for t in maps
    )


def _span(x: Tensor) -> int:
    """Return how far the last value of an image is from its first."""
    sizes = zip(x.shape[1:], x.stride()[1:], strict=True)
    return sum((size - 1) * stride for size, stride in sizes)
