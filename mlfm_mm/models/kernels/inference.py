"""A memory unit in inference, with its norms folded.

Nothing is saved for a backward pass, so maps are overwritten in-place, a few
images at a time. Allocating a large map costs more than computing it: its
pages have to be mapped and fetched into the cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from ..fuse import affine_of, folded_gate, gates_of
from ..update import meet_trunk
from .batch_norm import PRECISE, broadcast
from .gate import as_laid_out, cast_for_convolution
from .haar import descend

if TYPE_CHECKING:
    from ..lfmu import LFMU

# Values of a map that are worked on at once, a few MB: with fewer, calls
# dominate; more do not fit into the cache.
BLOCK = 2**20

Folded = tuple[Tensor, Tensor]  # kernel and bias, or scale and shift


def infer(
    unit: LFMU, x: Tensor, memory: Tensor, image: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Run a unit in evaluation and save nothing: a :data:`Form`."""
    gates = [folded_gate(gate) for gate in gates_of(unit)]
    affine = affine_of(unit.output_gate)
    if x.numel() <= BLOCK or len(x) == 1:
        return _infer_block(unit, gates, affine, x, memory, image)
    x_out, memories = torch.empty_like(x), list[Tensor]()
    count = max(1, BLOCK // x[0].numel())
    for i in range(0, len(x), count):
        block = slice(i, i + count)
        band = None if image is None else image[block]
        inputs = x[block], memory[block], band
        _, new = _infer_block(unit, gates, affine, *inputs, x_out[block])
        memories.append(new)
    return x_out, torch.cat(memories)


def _infer_block(
    unit: LFMU,
    gates: list[Folded],
    affine: Folded,
    x: Tensor,
    memory: Tensor,
    image: Tensor | None,
    out: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    low: Tensor | None = None
    for gate, source in zip(gates, (memory, image), strict=False):
        assert source is not None
        source = cast_for_convolution(source)
        kernel, bias = (tensor.to(source.dtype) for tensor in gate)
        part = F.conv2d(source, kernel, bias, padding=kernel.shape[-1] // 2)
        low = part.relu_() if low is None else low.add_(part.relu_())
    assert low is not None
    low = as_laid_out(low.to(x.dtype), x)
    total, new = meet_trunk(x, low, unit.update, unit.identity_init, True)
    memory = descend(unit.forget_gate, new)
    if out is None:
        # The new memory may alias the sum.
        out = torch.empty_like(x) if memory is total else total
    _normalize(total, affine, out)
    return out.add_(x) if unit.identity_init else out, memory


def _normalize(x: Tensor, affine: Folded, out: Tensor) -> None:
    scale, shift = map(broadcast, affine)
    if x.dtype in PRECISE:
        torch.mul(x, scale, out=out).add_(shift)
    else:  # round once instead of twice
        torch.addcmul(shift, x, scale, out=out)
