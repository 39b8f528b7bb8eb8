"""The same unit, in fewer passes over memory.

Everything in this folder is only faster or smaller than the formulas of
:class:`LFMU`: with ``kernels=False`` no number changes. Its one door is
:func:`run`. Behind it:

- :mod:`checks`: whether a unit is made of the parts that the rest knows,
- :mod:`training`: the unit as one differentiable operation,
- :mod:`inference`: the unit with folded norms, in place,
- :mod:`gate`, :mod:`batch_norm`, :mod:`matrices`, :mod:`haar`: their parts,
- :mod:`triton`: the unit in a few kernels for GPUs, on request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from ..torch_internals import is_traced, is_transformed
from . import triton
from .checks import fits, is_inferring
from .inference import infer
from .training import train
from .triton import check_triton

if TYPE_CHECKING:
    from ..lfmu import LFMU

__all__ = ['check_triton', 'run']


def run(
    unit: LFMU, x: Tensor, memory: Tensor, image: Tensor | None
) -> tuple[Tensor, Tensor] | None:
    """Run a unit by the kernels of its device, where they apply.

    A CPU waits for memory, so it gains by fewer passes, even at the price of
    more calls. On a GPU every call is a launch, and a compiler fuses plain
    operators better than these: both run the plain formulas. The kernels in
    Triton, which run on a GPU, have to be asked for.

    Args:
        unit (LFMU): The unit.
        x (Tensor): Trunk feature of shape (N, C, H, W).
        memory (Tensor): Memory of shape (N, M, H, W).
        image (Tensor, optional): Low band of the image.

    Returns:
        tuple[Tensor, Tensor] | None: What the unit returns, or None where
        the kernels do not apply.
    """
    if is_traced() or is_transformed():
        return None
    if unit.kernels == 'triton':
        done = triton.run(unit, x, memory, image)
        if done is not None:
            return done
    if x.device.type != 'cpu' or not fits(unit, x):
        return None
    form = infer if is_inferring(unit) else train
    return form(unit, x, memory, image)
