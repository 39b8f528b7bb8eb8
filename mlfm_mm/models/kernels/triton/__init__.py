"""A memory unit on a GPU, by a few kernels written in Triton.

An eager network on a GPU is bound by launches and by bytes. In inference a
unit is one launch here, which reads the trunk's feature, the memory and the
image, and writes the new feature and the new memory, low-passed. In training
it is five, and seven in the backward pass; nothing but what the output gate
normalizes is kept of it, and the maps of the gates are never written. From
the mathematics to the machine:

- :mod:`unit`: the unit in inference, and as one differentiable operation,
- :mod:`arguments`: a unit's tensors and options, as operators take them,
- :mod:`forward_ops`, :mod:`backward_ops`: each launch as an operator,
- :mod:`launch`: grids and tiles,
- :mod:`forward`, :mod:`moments`, :mod:`backward`: the kernels,
- :mod:`tiles`: what the kernels share.

Sums are put together in an order that is always the same: no atomics.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..checks import Form, is_inferring

if TYPE_CHECKING:
    from ...lfmu import LFMU

__all__ = ['check_triton', 'choose', 'is_default']

DTYPES = [torch.float16, torch.bfloat16, torch.float32]
# The oldest version that the kernels were tried with.
OLDEST = (3, 6)
# The oldest GPUs that they are compiled for (A100); they ran on an H100.
OLDEST_GPU = (8, 0)
# Channels of the largest memory. Kernels convolve anew where PyTorch reads a
# map: with so many channels that costs as much, reckoned for an H100.
MOST_CHANNELS = 256


def check_triton() -> None:
    """Refuse to work without Triton.

    Raises:
        ImportError: It is not there, or too old.
    """
    found = _version()
    if found is None or _is_old(found):
        found = 'is not installed' if found is None else f'is {found}'
        raise ImportError(
            f"kernels='triton' needs Triton 3.6 or newer, which {found}: it "
            'comes with PyTorch 2.11 for Linux and CUDA; or use '
            "kernels='auto'."
        )


@cache
def is_default(device: torch.device) -> bool:
    """Tell whether a device runs these kernels without being asked to.

    Args:
        device (torch.device): Where the unit is.
    """
    on_cuda = device.type == 'cuda' and torch.cuda.is_available()
    if not on_cuda or torch.version.hip is not None:
        return False
    found = _version()
    if found is None or _is_old(found):
        return False
    return torch.cuda.get_device_capability(device) >= OLDEST_GPU


def _version() -> str | None:
    """Give the version of Triton; None if it is not there."""
    if find_spec('triton') is None:
        return None
    import triton

    return str(triton.__version__)


def _is_old(version: str) -> bool:
    return tuple(map(int, version.split('.')[:2])) < OLDEST


def choose(
    unit: LFMU, x: Tensor, memory: Tensor, image: Tensor | None
) -> Form | None:
    """Choose how to run a unit by Triton's kernels, as the one door does."""
    if not _can_read(unit, x, memory, image):
        return None
    # Not before: Triton need not be there.
    from .unit import infer, train

    return infer if is_inferring(unit) else train


def is_played() -> bool:
    """Tell whether Triton plays a GPU, as TRITON_INTERPRET=1 asks it to."""
    from .tiles import PLAYED

    return bool(PLAYED.value)


def _can_read(
    unit: LFMU, x: Tensor, memory: Tensor, image: Tensor | None
) -> bool:
    """Tell whether tensors are what kernels can read, and small enough."""
    if memory.shape[1] > MOST_CHANNELS:
        return False
    maps = [x, memory]
    if unit.supplement_gate is not None:
        if image is None:
            return False
        maps.append(image)
    # In double precision a GPU has no registers for the tiles.
    dtypes = [*DTYPES, torch.float64] if is_played() else DTYPES
    if not torch.is_autocast_enabled(x.device.type):
        kept = next(unit.input_gate.parameters()).dtype
        dtypes = [t for t in dtypes if t == kept]
    device = 'cpu' if is_played() else 'cuda'
    # Kernels count pixels, and the values of an image, in 32 bits.
    few = max(x.numel() // x.shape[1], 2 * x[0].numel(), memory[0].numel())
    return few < 2**30 and all(
        t.device.type == device and t.dtype in dtypes for t in maps
    )
