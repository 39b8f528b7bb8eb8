"""The same unit, in fewer passes over memory.

Everything in this folder is only faster or smaller than the formulas of
:class:`LFMU`: with ``kernels=False`` no number changes. Its one door is
:func:`choose`. Behind it:

- :mod:`checks`: whether a unit is made of the parts that the rest knows,
- :mod:`training`: the unit, from parts that keep little,
- :mod:`inference`: the unit with folded norms, in place,
- :mod:`gate`, :mod:`batch_norm`, :mod:`matrices`, :mod:`haar`: their parts,
- :mod:`triton`: the unit in a few kernels for GPUs, on request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from ..torch_internals import is_traced, is_transformed
from . import triton
from .checks import Form, fits, is_inferring
from .inference import infer
from .training import train
from .triton import check_triton

if TYPE_CHECKING:
    from ..lfmu import LFMU

__all__ = ['Form', 'check_triton', 'choose']


def choose(
    unit: LFMU, x: Tensor, memory: Tensor, image: Tensor | None
) -> Form | None:
    """Choose how to run a unit by the kernels of its device.

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
        Callable | None: What to call with unit, feature, memory and image
        for what the unit returns, or None where no kernels apply.
    """
    if is_traced() or is_transformed() or not unit.kernels:
        return None
    if not fits(unit, x):
        return None
    if unit.kernels == 'triton':
        form = triton.choose(unit, x, memory, image)
        if form is not None:
            return form
    if x.device.type != 'cpu':
        return None
    return infer if is_inferring(unit) else train
