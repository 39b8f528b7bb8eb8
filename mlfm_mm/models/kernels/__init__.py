"""The same unit, in fewer passes over memory.

Everything in this folder is only faster or smaller than the formulas of
:class:`LFMU`: with ``kernels=False`` no number changes. Its one door is
:func:`choose`, with a side door for the bands of the image. Behind it:

- :mod:`checks`: whether a unit is made of parts that the others support,
- :mod:`training`: the unit from autograd functions that save little,
- :mod:`inference`: the unit with folded norms, in-place,
- :mod:`gate`, :mod:`batch_norm`, :mod:`haar`, :mod:`autograd`: their parts,
- :mod:`triton`: the unit in a few kernels for GPUs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..fuse import is_watched
from ..low_pass import LowPass
from ..torch_internals import (
    any_overrides_operators,
    has_global_hooks,
    is_traced,
    is_transformed,
)
from . import triton
from .batch_norm import PRECISE
from .checks import Form, fits, is_inferring
from .haar import haar_of_rows
from .inference import infer
from .training import train
from .triton import check_triton

if TYPE_CHECKING:
    from ..lfmu import LFMU

__all__ = ['Form', 'check_kernels', 'choose', 'choose_low_pass']

# Below this many values in the trunk's feature, training on a CPU is bound by
# the overhead of calls. The plain formulas make fewer: they take half the time
# for small features, and nine tenths near this limit.
FEW_VALUES = 2**18


def check_kernels(choice: object) -> None:
    """Refuse an unknown choice of kernels.

    Args:
        choice (object): What a user asked for.

    Raises:
        ImportError: It is ``'triton'``, which is not installed.
        ValueError: It is none of ``'auto'``, ``'triton'`` and False.
    """
    if choice == 'triton':
        check_triton()
    elif choice != 'auto' and choice is not False:
        raise ValueError(
            f"kernels={choice!r} is unknown; choose 'auto', 'triton' or False."
        )


def choose(
    unit: LFMU, x: Tensor, memory: Tensor, image: Tensor | None
) -> Form | None:
    """Choose how to run a unit by the kernels of its device.

    A CPU is bound by memory, so that fewer passes pay, even for more calls,
    unless maps are small. On a GPU every call is a launch: it runs a few
    Triton kernels, or the plain formulas where those do not apply. A compiler
    fuses plain operators better than any of these.

    Args:
        unit (LFMU): The unit.
        x (Tensor): Trunk feature of shape (N, C, H, W).
        memory (Tensor): Memory of shape (N, M, H, W).
        image (Tensor, optional): Low band of the image.

    Returns:
        Callable | None: A function of unit, feature, memory and image that
        returns what the unit does, or None where no kernels apply.
    """
    if is_traced() or is_transformed() or not unit.kernels:
        return None
    if has_global_hooks() or any_overrides_operators(x, memory, image):
        return None
    if not fits(unit, x):
        return None
    if unit.kernels == 'triton' or triton.is_default(x.device):
        form = triton.choose(unit, x, memory, image)
        if form is not None:
            return form
    if x.device.type != 'cpu':
        return None
    if is_inferring(unit):
        return infer
    return train if x.numel() >= FEW_VALUES else None


def choose_low_pass(
    low_pass: LowPass, image: Tensor
) -> Callable[[Tensor], Tensor]:
    """Choose how to make the bands of an image.

    Args:
        low_pass (LowPass): Makes a band of the one before.
        image (Tensor): The image, of shape (N, image_channels, H, W).

    Returns:
        Callable: The low-pass, or a form of it that is faster on a CPU.
    """
    if is_traced() or is_transformed() or image.device.type != 'cpu':
        return low_pass
    if type(low_pass) is not LowPass or low_pass.filter is not None:
        return low_pass
    if is_watched(low_pass) or has_global_hooks():
        return low_pass
    learns = torch.is_grad_enabled() and image.requires_grad
    return low_pass if learns or image.dtype not in PRECISE else haar_of_rows
