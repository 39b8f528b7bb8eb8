"""What a memory unit consists of once its norms are folded."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn

Gate = tuple[Tensor, Tensor]


class FoldedGate(nn.Conv2d):
    """A gate that has its norm in its kernel and bias.

    Args:
        gate (ConvModule): Convolution, batch norm in evaluation (or none, if
            it has been folded before) and ReLU.

    Example:
        >>> import torch
        >>> from mlfm_mm import LFMU
        >>> gate, x = LFMU(3, 8).eval().input_gate, torch.rand(1, 3, 4, 4)
        >>> torch.allclose(FoldedGate(gate)(x), gate(x), atol=1e-6)
        True
    """

    def __init__(self, gate: ConvModule) -> None:
        conv = gate.conv
        super().__init__(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,
            padding=conv.padding,
            device='meta',
        )
        kernel, bias = gate_of(gate)
        self.weight = nn.Parameter(kernel.detach().clone())
        self.bias = nn.Parameter(bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Run the gate on what it reads, (N, M, H, W)."""
        return super().forward(x).relu()


class Affine(nn.Module):
    """What is left of a norm in evaluation: a scale and a shift.

    Args:
        norm (nn.BatchNorm2d): The norm.

    Example:
        >>> import torch
        >>> norm, x = torch.nn.BatchNorm2d(8).eval(), torch.rand(1, 8, 4, 4)
        >>> torch.allclose(Affine(norm)(x), norm(x), atol=1e-6)
        True
    """

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        weight, bias = affine_of(norm)
        self.weight = nn.Parameter(weight.detach().clone())
        self.bias = nn.Parameter(bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift maps of shape (N, C, H, W)."""
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        return x * weight.view(-1, 1, 1) + bias.view(-1, 1, 1)


class FoldedWeights(NamedTuple):
    """The numbers that a unit in evaluation comes down to."""

    input_gate: Gate
    supplement_gate: Gate | None
    scale: Tensor
    shift: Tensor


def folded_weights(unit: Any) -> FoldedWeights:
    """Fold the norms of a unit, if they have not been folded for good.

    Args:
        unit (LFMU): A unit of the usual parts.

    Returns:
        FoldedWeights: Kernels and biases of the gates, and the output
        gate's scale and shift (C,).
    """
    gate = unit.supplement_gate
    return FoldedWeights(
        gate_of(unit.input_gate),
        None if gate is None else gate_of(gate),
        *affine_of(unit.output_gate),
    )


def gate_of(gate: Any) -> Gate:
    """Fold a gate's norm into its convolution.

    Args:
        gate (ConvModule | FoldedGate): Convolution, batch norm (or none, if
            it has been folded before) and ReLU.

    Returns:
        tuple[Tensor, Tensor]: Kernel (C, M, K, K) and bias (C,).
    """
    conv = gate if isinstance(gate, FoldedGate) else gate.conv
    if conv.bias is not None:
        return conv.weight, conv.bias
    scale, shift = affine_of(gate.norm)
    return conv.weight * scale.view(-1, 1, 1, 1), shift


def affine_of(norm: Any) -> tuple[Tensor, Tensor]:
    """Give the scale and the shift (C,) that a norm in evaluation comes to."""
    if isinstance(norm, Affine):
        return norm.weight, norm.bias
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale
