"""A memory unit in inference, by its running moments.

Nothing is kept, so the maps are worked on in place. A map that is new costs
more than to compute it: the system has to find its pages.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from .batch_norm import PRECISE, broadcast
from .lean_function import Parts
from .lean_gate import autocast, convolve

HandOn = Callable[[Tensor], Tensor]
# Values of a map that are worked on at once, a few MB: less would be many
# small calls, more would not stay in a processor's cache.
BLOCK = 2**20


def infer_unit(
    unit: Parts,
    x: Tensor,
    memory: Tensor,
    image: Tensor,
    hand_on: HandOn | None = None,
) -> tuple[Tensor, Tensor]:
    """Run a unit and keep nothing.

    Args:
        unit (LFMU): A unit of the usual parts, in evaluation.
        x (Tensor): Trunk feature of shape (N, C, H, W).
        memory (Tensor): Memory of shape (N, M, H, W).
        image (Tensor): Low band of the image.
        hand_on (Callable[[Tensor], Tensor], optional): What becomes of the
            new memory. Defaults to None.

    Returns:
        tuple[Tensor, Tensor]: The trunk's new feature, and the new memory,
        handed on.
    """
    low = open_gates(unit, memory, image).to(x.dtype)
    if unit.update == 'concat':
        new = torch.cat((x, low), dim=1)
        merged = low if unit.identity_init else low.add_(x)
    elif unit.identity_init:
        new, merged = x + low, low
    else:
        new = merged = low.add_(x)
    handed = new if hand_on is None else hand_on(new)
    # The memory may be the merged map, or a part of it, and must last then.
    out = torch.empty_like(merged) if _share(handed, merged) else merged
    x_out = normalize_to(out, merged, unit.output_gate)
    return x_out.add_(x) if unit.identity_init else x_out, handed


def open_gates(unit: Parts, memory: Tensor, image: Tensor) -> Tensor:
    """Add up what the gates let through, (N, C, H, W)."""
    low = run_gate(*folded(unit.input_gate), memory)
    if unit.supplement_gate is None:
        return low
    weights = folded(unit.supplement_gate)
    # Some images at a time, so that no second map of this size is needed.
    count = max(1, BLOCK // low[0].numel())
    parts = zip(low.split(count), image.split(count), strict=True)
    for part, images in parts:
        part.add_(run_gate(*weights, images))
    return low


def folded(gate: ConvModule) -> tuple[Tensor, Tensor]:
    """Fold a gate's norm into its convolution.

    Args:
        gate (ConvModule): Convolution, batch norm (or none, if it has been
            folded before) and ReLU.

    Returns:
        tuple[Tensor, Tensor]: Kernel (C, M, K, K) and bias (C,).
    """
    norm, kernel = gate.norm, gate.conv.weight
    if gate.conv.bias is not None:
        return kernel, gate.conv.bias
    scale, shift = affine(norm)
    return kernel * scale.view(-1, 1, 1, 1), shift


def affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Give the scale and the shift (C,) that a norm in evaluation comes to."""
    assert norm.running_var is not None and norm.running_mean is not None
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    return scale, norm.bias - norm.running_mean * scale


def run_gate(kernel: Tensor, bias: Tensor, source: Tensor) -> Tensor:
    """Run a folded gate on what it reads, (N, M, H, W)."""
    return convolve(autocast(source), kernel, bias).relu_()


def normalize_to(out: Tensor, x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    """Normalize maps into others, which may be the same."""
    scale, shift = (broadcast(values) for values in affine(norm))
    if x.dtype not in PRECISE:  # one rounding instead of two
        return torch.addcmul(shift, x, scale, out=out)
    return torch.mul(x, scale, out=out).add_(shift)


def _share(x: Tensor, y: Tensor) -> bool:
    return x.untyped_storage()._cdata == y.untyped_storage()._cdata
