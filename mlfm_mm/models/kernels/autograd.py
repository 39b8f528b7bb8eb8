"""What the autograd functions of the kernels have in common."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx


class Context(FunctionCtx):
    """What a function saves for its backward pass."""

    measured: bool
    shape: torch.Size
    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]


def refuse_second_derivative() -> None:
    """Refuse to be differentiated a second time, in a backward pass.

    Raises:
        RuntimeError: It is to be recorded, for a second derivative.
    """
    if torch.is_grad_enabled():
        raise RuntimeError(
            'A second derivative (create_graph=True) was asked of an LFMU, '
            'whose kernels can be differentiated once only: build the unit, '
            'or MLFMNeck, with kernels=False.'
        )
