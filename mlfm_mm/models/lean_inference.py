"""A memory unit in inference, by its running moments.

Nothing is kept, so maps are worked on in place, some images at a time. A
large map that is new costs more than to compute it: the system has to find
its pages, and the processor to fetch them.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .batch_norm import PRECISE, broadcast
from .folded import folded_weights
from .lean_function import Parts
from .lean_gate import autocast

HandOn = Callable[[Tensor], Tensor]
# Values of a map that a CPU works on at once, a few MB: less would be many
# small calls, more would not stay in its cache.
BLOCK = 2**20


def infer_unit(
    unit: Parts,
    x: Tensor,
    memory: Tensor,
    image: Tensor,
    hand_on: HandOn | None = None,
    in_place: bool = False,
) -> tuple[Tensor, Tensor]:
    """Run a unit and keep nothing.

    Args:
        unit (LFMU): A unit of the usual parts, in evaluation.
        x (Tensor): Trunk feature of shape (N, C, H, W).
        memory (Tensor): Memory of shape (N, M, H, W).
        image (Tensor): Low band of the image.
        hand_on (Callable[[Tensor], Tensor], optional): What becomes of the
            new memory, image by image. Defaults to None.
        in_place (bool): Whether the new feature may be written over ``x``.
            Defaults to False.

    Returns:
        tuple[Tensor, Tensor]: The trunk's new feature, and the new memory,
        handed on.
    """
    run = UnitInference(unit, hand_on)
    # As the identity it adds its feature in the end.
    spare = x if in_place and not unit.identity_init else None
    if x.device.type != 'cpu' or x.numel() <= BLOCK or len(x) == 1:
        return run(x, memory, image, spare)
    x_out = torch.empty_like(x) if spare is None else spare
    count = max(1, BLOCK // x[0].numel())
    blocks = (t.split(count) for t in (x, memory, image, x_out))
    handed = [run(*block)[1] for block in zip(*blocks, strict=True)]
    return x_out, torch.cat(handed)


class UnitInference:
    """A unit whose norms are folded, as far as they can be.

    Args:
        unit (LFMU): The unit.
        hand_on (Callable[[Tensor], Tensor], optional): What becomes of the
            new memory. Defaults to None.
    """

    def __init__(self, unit: Parts, hand_on: HandOn | None) -> None:
        self.unit, self.hand_on = unit, hand_on
        weights = folded_weights(unit)
        self.input_gate, self.supplement_gate, scale, shift = weights
        self.scale, self.shift = broadcast(scale), broadcast(shift)

    def __call__(
        self,
        x: Tensor,
        memory: Tensor,
        image: Tensor,
        out: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Run the unit on some images.

        Args:
            x (Tensor): Trunk feature of shape (N, C, H, W).
            memory (Tensor): Memory of shape (N, M, H, W).
            image (Tensor): Low band of the image.
            out (Tensor, optional): Where the new feature goes, perhaps ``x``.
                Defaults to None, for a map of the unit's own.

        Returns:
            tuple[Tensor, Tensor]: The trunk's new feature, and the new
            memory, handed on.
        """
        unit, low = self.unit, self._open_gates(memory, image).to(x.dtype)
        if unit.update == 'concat':
            new = torch.cat((x, low), dim=1)
            merged = low if unit.identity_init else low.add_(x)
        elif unit.identity_init:
            new, merged = x + low, low
        else:
            new = merged = low.add_(x)
        handed = new if self.hand_on is None else self.hand_on(new)
        if out is None:
            # The memory may be the merged map, or a part of it.
            out = torch.empty_like(x) if _share(handed, merged) else merged
        self._normalize(merged, out)
        return out.add_(x) if unit.identity_init else out, handed

    def _open_gates(self, memory: Tensor, image: Tensor) -> Tensor:
        low = run_gate(*self.input_gate, memory)
        if self.supplement_gate is not None:
            low.add_(run_gate(*self.supplement_gate, image))
        return low

    def _normalize(self, x: Tensor, out: Tensor) -> None:
        if x.dtype in PRECISE:
            torch.mul(x, self.scale, out=out).add_(self.shift)
        else:  # one rounding instead of two
            torch.addcmul(self.shift, x, self.scale, out=out)


def run_gate(kernel: Tensor, bias: Tensor, source: Tensor) -> Tensor:
    """Run a folded gate on what it reads, (N, M, H, W)."""
    source = autocast(source)
    kernel, bias = kernel.to(source.dtype), bias.to(source.dtype)
    return F.conv2d(
        source, kernel, bias, padding=kernel.shape[-1] // 2
    ).relu_()


def _share(x: Tensor, y: Tensor) -> bool:
    return x.untyped_storage()._cdata == y.untyped_storage()._cdata
