"""A memory unit of the usual parts, in few passes over memory."""

from __future__ import annotations

from typing import Any

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .folded import Affine
from .lean_function import LeanUnitFunction, Parts
from .lean_inference import HandOn
from .recall import Recall

# What a user may hang on a module, which only a call of it would run.
HOOKS = (
    '_forward_hooks',
    '_forward_pre_hooks',
    '_backward_hooks',
    '_backward_pre_hooks',
)


def is_lean(unit: Parts, x: Tensor) -> bool:
    """Tell whether a unit can run in its lean form.

    It can with the usual parts, batch norm and ReLU, if nobody listens to
    its parts: a hook on a convolution would not be called. For inference
    the gates' norms may be folded into their convolutions.

    Args:
        unit (LFMU): The unit.
        x (Tensor): The trunk's feature that it is given.

    Returns:
        bool: Whether :func:`run_lean` computes what its parts compute.
    """
    if isinstance(unit.output_gate, Affine):
        return is_inferring(unit) and not any(map(_is_heard, _parts(unit)))
    gates = _gates(unit)
    if not all(_is_usual_gate(gate) for gate in gates):
        return False
    norms = [unit.output_gate]
    norms += [gate.norm for gate in gates if gate.conv.bias is None]
    if len(norms) <= len(gates) and not is_inferring(unit):
        return False
    return (
        all(_is_usual_norm(norm) for norm in norms)
        and len({norm.training for norm in norms}) == 1
        # Of a single value no moments can be measured; the norm says so.
        and x.numel() > x.shape[1]
    )


def is_inferring(unit: Parts) -> bool:
    """Tell whether a unit runs by fixed moments, and without gradients."""
    if torch.is_grad_enabled():
        return False
    gate = unit.output_gate
    return isinstance(gate, Affine) or not getattr(gate, 'training', True)


def is_foldable(unit: Parts) -> bool:
    """Tell whether all norms of a unit can be folded for good."""
    gates = _gates(unit)
    if not all(_is_usual_gate(gate) for gate in gates):
        return False
    norms = [unit.output_gate]
    norms += [gate.norm for gate in gates if gate.conv.bias is None]
    return all(_has_moments(norm) for norm in norms)


def _gates(unit: Parts) -> list[Any]:
    gates = unit.input_gate, unit.supplement_gate
    return [gate for gate in gates if gate is not None]


def _parts(unit: Parts) -> list[Any]:
    return [*_gates(unit), unit.output_gate]


def _is_usual_gate(gate: ConvModule) -> bool:
    if not gate.with_activation:
        return False
    conv, act = gate.conv, gate.activate
    return (
        type(gate) is ConvModule
        and type(conv) is nn.Conv2d
        and type(act) is nn.ReLU
        and (conv.bias is None or type(gate.norm) is nn.Identity)
        and not any(_is_heard(module) for module in (gate, conv, act))
    )


def _is_usual_norm(norm: nn.Module | None) -> bool:
    # Of any rank: what reverts SyncBN makes one of its own.
    return (
        isinstance(norm, _BatchNorm)
        and type(norm).forward is _BatchNorm.forward  # not SyncBN's
        and _has_moments(norm)
    )


def _has_moments(norm: nn.Module | None) -> bool:
    return (
        isinstance(norm, _BatchNorm)
        and norm.affine
        and norm.track_running_stats
        and not _is_heard(norm)
    )


def _is_heard(module: nn.Module) -> bool:
    return any(getattr(module, hooks) for hooks in HOOKS)


def run_lean(
    unit: Parts,
    x: Tensor,
    memory: Tensor,
    image: Tensor,
    record: bool,
    recall: Recall | None = None,
    hand_on: HandOn | None = None,
) -> tuple[Tensor, Tensor]:
    """Run a unit in its lean form, ready to be differentiated.

    Args:
        unit (LFMU): A unit of which :func:`is_lean` holds.
        x (Tensor): Trunk feature of shape (N, C, H, W).
        memory (Tensor): Memory of shape (N, M, H, W).
        image (Tensor): Low band of the image.
        record (bool): Whether norms in training update their running
            statistics.
        recall (Recall, optional): How to get memory and image again instead
            of keeping them. Defaults to None.
        hand_on (Callable[[Tensor], Tensor], optional): What becomes of the
            new memory. Defaults to None.

    Returns:
        tuple[Tensor, Tensor]: The trunk's new feature, and the new memory,
        handed on.
    """
    weights = [*_weights(unit.input_gate)]
    if unit.supplement_gate is not None:
        weights += _weights(unit.supplement_gate)
    gate = unit.output_gate
    inputs = x, memory, image, gate.weight, gate.bias, *weights
    x, memory = LeanUnitFunction.apply(unit, record, recall, *inputs)
    return x, memory if hand_on is None else hand_on(memory)


def _weights(gate: ConvModule) -> tuple[Tensor, Tensor, Tensor]:
    return gate.conv.weight, gate.norm.weight, gate.norm.bias
