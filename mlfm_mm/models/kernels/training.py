"""A memory unit in training, from autograd functions that save little.

Plain autograd saves every map between the operations of a unit. A gate can be
recomputed from the memory or the image, which have few channels, so only these
are saved, and the map that the output gate normalizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from ..fuse import gates_of
from ..update import meet_trunk
from .batch_norm import NormFunction, is_plain
from .gate import as_laid_out, cast_for_convolution, choose_gate, parts_of
from .haar import descend

if TYPE_CHECKING:
    from ..lfmu import LFMU


def train(
    unit: LFMU, x: Tensor, memory: Tensor, image: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Run a unit so that it can be differentiated once: a :data:`Form`."""
    low: Tensor | None = None
    for gate, source in zip(gates_of(unit), (memory, image), strict=False):
        assert source is not None
        source = cast_for_convolution(source)
        form = choose_gate(gate, source)
        part = form.apply(source, *parts_of(gate))
        low = part if low is None else low.add_(part)
    assert low is not None
    low = as_laid_out(low.to(x.dtype), x)
    total, memory = meet_trunk(x, low, unit.update, unit.identity_init, True)
    norm = unit.output_gate
    assert norm is not None
    if norm.training and is_plain(total):
        x_out = NormFunction.apply(total, norm.weight, norm.bias, norm)
    else:
        x_out = norm(total)
    if unit.identity_init:
        x_out = x + x_out
    return x_out, descend(unit.forget_gate, memory)
