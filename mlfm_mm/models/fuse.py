"""Folding the norms of a memory unit into its convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

if TYPE_CHECKING:
    from .lfmu import LFMU

# Hooks run only when the module itself is called.
HOOKS = (
    '_forward_hooks',
    '_forward_pre_hooks',
    '_backward_hooks',
    '_backward_pre_hooks',
)


class Affine(nn.Module):
    """A norm in evaluation, reduced to a scale and a shift.

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


def is_watched(module: nn.Module) -> bool:
    """Tell whether a module has to be called, not just its weights used.

    Args:
        module (nn.Module): The module.

    Returns:
        bool: Whether it has hooks, or its ``forward`` was replaced.
    """
    return 'forward' in module.__dict__ or any(
        getattr(module, hooks) for hooks in HOOKS
    )


def gates_of(unit: LFMU) -> list[ConvModule]:
    """List the gates of a unit that are convolutions: one or two."""
    gates = unit.input_gate, unit.supplement_gate
    return [gate for gate in gates if gate is not None]


def is_usual_gate(gate: ConvModule) -> bool:
    """Tell whether a gate is convolution, any norm or none, and ReLU."""
    if type(gate) is not ConvModule or not gate.with_activation:
        return False
    conv, act = gate.conv, gate.activate
    return (
        type(conv) is nn.Conv2d
        and is_usual_convolution(conv)
        and type(act) is nn.ReLU
        and gate.order == ('conv', 'norm', 'act')
        and (conv.bias is None or type(gate.norm) is nn.Identity)
        and not any(is_watched(module) for module in (gate, conv, act))
    )


def is_usual_convolution(conv: nn.Conv2d) -> bool:
    """Tell whether a gate's convolution computes as it was built to."""
    return (
        conv.padding_mode == 'zeros'
        and conv.padding == tuple(side // 2 for side in conv.kernel_size)
        and conv.dilation == conv.stride == (1, 1)
        and conv.groups == 1
        and '_conv_forward' not in conv.__dict__
    )


def is_affine_in_eval(norm: nn.Module | None) -> bool:
    """Tell whether a norm is a mere scale and shift in evaluation."""
    if not isinstance(norm, _BatchNorm) or is_watched(norm):
        return False
    moments = norm.running_mean, norm.running_var, norm.num_batches_tracked
    parts = *moments, norm.weight, norm.bias
    is_complete = not any(part is None for part in parts)
    # A subclass may scale, or hold an activation.
    usual = _BatchNorm.forward, nn.SyncBatchNorm.forward
    is_usual = type(norm).forward in usual and is_complete
    return norm.track_running_stats and is_usual


def norms_of(unit: LFMU) -> list[nn.Module | None]:
    """List the norms of a unit that have not been folded."""
    gates = [gate for gate in gates_of(unit) if gate.conv.bias is None]
    return [unit.output_gate, *(gate.norm for gate in gates)]


def check_foldable(unit: LFMU) -> None:
    """Refuse a unit whose norms cannot be folded for good.

    Args:
        unit (LFMU): The unit.

    Raises:
        ValueError: It is not made of convolution, batch norm and ReLU, or a
            part of it has a hook.
    """
    if isinstance(unit.output_gate, Affine):
        return
    usual = all(is_usual_gate(gate) for gate in gates_of(unit))
    if not usual or not all(map(is_affine_in_eval, norms_of(unit))):
        raise ValueError(
            'This LFMU cannot be fused: it must be made of convolution, '
            'batch norm with running moments and ReLU, with no hook on any '
            f'of them, and has norm_cfg={unit.norm_cfg} and\n{unit}\nRemove '
            'the hooks, or leave the unit as it is; '
            '`mmcv.cnn.fuse_conv_bn` folds the norms of its gates.'
        )


def folded_gate(gate: ConvModule) -> tuple[Tensor, Tensor]:
    """Fold a gate's norm into its convolution, unless it has been.

    Args:
        gate (ConvModule): A gate of the usual parts.

    Returns:
        tuple[Tensor, Tensor]: Kernel (C, M, K, K) and bias (C,).

    Example:
        >>> import torch
        >>> from mlfm_mm import LFMU
        >>> gate, x = LFMU(3, 8).eval().input_gate, torch.rand(1, 3, 4, 4)
        >>> folded = torch.conv2d(x, *folded_gate(gate)).relu()
        >>> torch.allclose(folded, gate(x), atol=1e-6)
        True
    """
    if gate.conv.bias is not None:
        return gate.conv.weight, gate.conv.bias
    scale, shift = affine_of(gate.norm)
    return gate.conv.weight * scale.view(-1, 1, 1, 1), shift


def affine_of(norm: nn.Module | None) -> tuple[Tensor, Tensor]:
    """Return the scale and shift (C,) of a norm in evaluation."""
    if isinstance(norm, Affine):
        return norm.weight, norm.bias
    assert isinstance(norm, _BatchNorm)
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None and variance is not None
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return scale, norm.bias - mean * scale
