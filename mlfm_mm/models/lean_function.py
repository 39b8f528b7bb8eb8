"""A memory unit as one operation, with its backward pass by hand.

Autograd keeps every map between the operations of a unit: two convolutions,
two norms, two activations, a sum. All of them follow from the memory and the
image, which are small, by convolutions that cost little. So only these are
kept, with the sum that the output gate normalizes, and the rest is computed
once more when gradients are asked for. The formulas are those of LFMU.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .batch_norm import (
    Moments,
    centred,
    mean_of,
    normalize_,
    normalize_backward,
)
from .lean_gate import ReopenedGate, open_gate
from .recall import Recall


class Parts(Protocol):
    """What is asked of a unit."""

    input_gate: Any
    supplement_gate: Any
    output_gate: nn.BatchNorm2d
    update: str
    identity_init: bool
    with_cp: bool


def merge(unit: Parts, x: Tensor, low: Tensor) -> tuple[Tensor, Tensor]:
    """Let what the gates gave meet the trunk.

    Args:
        unit (LFMU): The unit.
        x (Tensor): Trunk feature of shape (N, C, H, W).
        low (Tensor): Sum of the gates, (N, C, H, W); it is overwritten.

    Returns:
        tuple[Tensor, Tensor]: What the output gate is to normalize, and the
        new memory.
    """
    memory = torch.cat((x, low), dim=1) if unit.update == 'concat' else None
    if unit.identity_init:
        return low, x + low if memory is None else memory
    total = low.add_(x)
    return total, total if memory is None else memory


def _normalize(
    norm: nn.BatchNorm2d, x: Tensor, record: bool
) -> tuple[Tensor, Moments]:
    mean = mean_of(x) if norm.training else norm.running_mean
    assert mean is not None
    y = centred(x, mean)
    return y, normalize_(y, norm, mean, record)


class LeanUnitFunction(torch.autograd.Function):
    """The unit as one operation.

    Inputs are the unit, whether to record, how to recall what it reads,
    feature, memory and image, then scale and shift of the output gate, then
    kernel, scale and shift of each gate.
    """

    @staticmethod
    def forward(
        ctx: Any,
        unit: Parts,
        record: bool,
        recall: Recall | None,
        x: Tensor,
        memory: Tensor,
        image: Tensor,
        *weights: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Run the unit, and keep what the backward pass needs."""
        low, found = open_gate(unit.input_gate, memory, record)
        moments = [*found]
        if unit.supplement_gate is not None:
            part, found = open_gate(unit.supplement_gate, image, record)
            low, moments = low.add_(part), [*moments, *found]
        ctx.unit, ctx.gate_dtype, ctx.recall = unit, low.dtype, recall
        ctx.measured, ctx.keeps_x = unit.output_gate.training, unit.with_cp
        ctx.opened = ctx.recalled = None
        merged, memory_out = merge(unit, x, low.to(x.dtype))
        x_out, last = _normalize(unit.output_gate, merged, record)
        if unit.identity_init:
            x_out.add_(x)
        ctx.save_for_backward(
            x if ctx.keeps_x else merged,
            None if recall and recall.memory else memory,
            None if recall else image,
            *last,
            *moments,
            *weights,
        )
        ctx.set_materialize_grads(False)
        return x_out, memory_out

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_out: Tensor | None, d_memory: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """Run the gates once more, and differentiate from last to first."""
        unit, wanted = ctx.unit, ctx.needs_input_grad
        if d_out is None and d_memory is None:
            return (None,) * len(wanted)
        gates, last, scale, merged = _reopen(ctx)
        ctx.opened = ctx.recalled = None
        d_merged: Tensor | None = None
        d_affine: list[Tensor | None] = [None, None]
        if d_out is not None:
            if ctx.keeps_x:
                low = _low_again(gates, merged)
                merged = low if unit.identity_init else low.add_(merged)
            d_merged, *d_affine = normalize_backward(
                d_out, merged, scale, last, ctx.measured
            )
        d_x, d_low = _share(unit, d_out, d_merged, d_memory)
        d_sources: list[Tensor | None] = [None, None]
        d_weights: list[Tensor | None] = []
        for i, gate in enumerate(gates):
            d_sources[i], *more = gate.backward(
                d_low, ctx.measured, wanted[4 + i]
            )
            d_weights += more
        return None, None, None, d_x, *d_sources, *d_affine, *d_weights


def is_lean_node(node: Any) -> bool:
    """Tell whether a node of the graph is a lean unit that keeps ``x``.

    Args:
        node (Node, optional): The ``grad_fn`` of a memory.

    Returns:
        bool: Whether :func:`renewed_memory` can be asked of it.
    """
    is_lean = isinstance(node, LeanUnitFunction._backward_cls)
    return is_lean and node.keeps_x


def renewed_memory(node: Any) -> Tensor:
    """Compute once more the memory that left a unit.

    Args:
        node (Node): The unit's node in the graph, not yet run backward.

    Returns:
        Tensor: The memory.
    """
    with torch.no_grad():
        gates, _, _, x = _reopen(node)
        low = _low_again(gates, x)
        if node.unit.update == 'concat':
            return torch.cat((x, low), dim=1)
        return low.add_(x)


def _reopen(
    ctx: Any,
) -> tuple[list[ReopenedGate], Moments, Tensor, Tensor]:
    """Run the gates once more.

    Returns:
        tuple: The gates, the output gate's moments and scale, and the map
        that was kept.
    """
    # What is kept may be asked for once only, so that what the unit below
    # asks for is held for this one, and so is the memory.
    if ctx.opened is None:
        ctx.opened = ctx.saved_tensors
    kept, memory, image, *small = ctx.opened
    if image is None:
        image = ctx.recall.image()
    if memory is None:
        if ctx.recalled is None:
            ctx.recalled = ctx.recall.memory()
        memory = ctx.recalled
    count = 1 if ctx.unit.supplement_gate is None else 2
    moments = [Moments(*small[2 * i : 2 * i + 2]) for i in range(count + 1)]
    scale, _, *weights = small[2 * count + 2 :]
    gates = []
    for i, source in enumerate((memory, image)[:count]):
        kernel, weight, bias = weights[3 * i : 3 * i + 3]
        gates.append(
            ReopenedGate(
                source, kernel, weight, bias, moments[i + 1], ctx.gate_dtype
            )
        )
    return gates, moments[0], scale, kept


def _low_again(gates: list[ReopenedGate], x: Tensor) -> Tensor:
    low = gates[0].before_relu.relu()
    for gate in gates[1:]:
        low.add_(gate.before_relu.relu())
    return low.to(x.dtype)


def _share(
    unit: Parts,
    d_out: Tensor | None,
    d_merged: Tensor | None,
    d_memory: Tensor | None,
) -> tuple[Any, Any]:
    """Share gradients out to the trunk's feature and to the gates."""
    d_x = d_out if unit.identity_init else d_merged
    if d_memory is None:
        return d_x, d_merged
    to_x = to_low = d_memory
    if unit.update == 'concat':
        to_x, to_low = d_memory.chunk(2, dim=1)
    if d_x is None or d_merged is None:
        return to_x, to_low
    if d_x is d_merged and to_x is to_low:
        d_merged.add_(to_low)
        return d_merged, d_merged
    return d_x + to_x, d_merged + to_low
