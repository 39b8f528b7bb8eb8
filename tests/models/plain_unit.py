"""The unit, and a network with its memory, written naively with torch alone.

One operation of PyTorch for each sign of the paper's formulas, and every map
between them kept: what one writes first, and what the package must equal, and
be faster than. It shares no code with the package; its parameters have the
names of LFMU's, so that weights pass from one to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PlainGate(nn.Module):
    """ReLU(Norm(Conv(.)))."""

    def __init__(self, in_channels: int, channels: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, channels, size, padding=size // 2, bias=False
        )
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.bn(self.conv(x)))


class PlainUnit(nn.Module):
    """The Low-Frequency Memory Unit with its default norm and activation."""

    def __init__(
        self,
        memory_channels: int,
        channels: int,
        image_channels: int = 3,
        update: str = 'add',
        supplement: bool = True,
        identity_init: bool = False,
    ) -> None:
        super().__init__()
        self.update = update
        self.identity_init = identity_init
        self.input_gate = PlainGate(memory_channels, channels, 1)
        self.supplement_gate = None
        if supplement:
            self.supplement_gate = PlainGate(image_channels, channels, 3)
        self.output_gate = nn.BatchNorm2d(channels)

    @classmethod
    def like(cls, unit: nn.Module) -> PlainUnit:
        """Copy a unit: its options, its weights, its mode."""
        state = unit.state_dict()
        channels, memory_channels = state['input_gate.conv.weight'].shape[:2]
        supplement = state.get('supplement_gate.conv.weight')
        copy = cls(
            memory_channels,
            channels,
            3 if supplement is None else supplement.shape[1],
            update=unit.update,
            supplement=supplement is not None,
            identity_init=unit.identity_init,
        )
        weight = state['input_gate.conv.weight']
        copy.to(device=weight.device, dtype=weight.dtype)
        copy.load_state_dict(state)
        return copy.train(unit.training)

    def forward(
        self, x: Tensor, memory: Tensor, image: Tensor
    ) -> tuple[Tensor, Tensor]:
        low = self.input_gate(memory)
        if self.supplement_gate is not None:
            low = low + self.supplement_gate(image)
        # Nothing but this is done for mixed precision.
        low = low.to(x.dtype)
        if self.identity_init:
            x_out = x + self.output_gate(low)
        else:
            x_out = self.output_gate(x + low)
        if self.update == 'concat':
            return x_out, torch.cat((x, low), dim=1)
        return x_out, x + low


class PlainMemory(nn.Module):
    """The memory beside a backbone: hooks that call units, and pooling.

    Args:
        units (Sequence[PlainUnit]): The units.
        levels (Sequence[int]): How often the image is halved at each tap.
        halve (Callable): The forget gate, which also makes the bands.
    """

    def __init__(
        self,
        units: Sequence[PlainUnit],
        levels: Sequence[int],
        halve: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.units = nn.ModuleList(units)
        self.levels = list(levels)
        self.halve = halve
        self.image = self.memory = torch.empty(0)

    def attach(self, backbone: nn.Module, modules: Sequence[str]) -> None:
        """Hook the units in behind modules of the backbone."""
        self.modules_tapped = list(modules)
        backbone.register_forward_pre_hook(self.start)
        for name in modules:
            backbone.get_submodule(name).register_forward_hook(self.visit)
        backbone.register_forward_hook(self.end)

    def start(self, module: nn.Module, inputs: tuple) -> None:
        self.image = self.memory = inputs[0]
        self.level = self.index = 0

    def visit(self, module: nn.Module, inputs: tuple, x: Tensor) -> Tensor:
        for _ in range(self.levels[self.index] - self.level):
            self.image = self.halve(self.image)
            self.memory = self.halve(self.memory)
        self.level = self.levels[self.index]
        x, self.memory = self.units[self.index](x, self.memory, self.image)
        self.index += 1
        return x

    def end(self, module: nn.Module, inputs: tuple, out: Any) -> None:
        self.image = self.memory = torch.empty(0)


def low_low(x: Tensor) -> Tensor:
    """The low-low Haar band; odd sizes repeat their last row or column."""
    # Not by F.pad, whose backward PyTorch 2.12 fails to compile.
    for dim in (2, 3):
        if x.shape[dim] % 2:
            x = torch.cat((x, x.narrow(dim, x.shape[dim] - 1, 1)), dim)
    return 2 * F.avg_pool2d(x, 2)


def add_plain_memory(
    baseline: nn.Module,
    model: nn.Module,
    halve: Callable[[Tensor], Tensor] = low_low,
) -> nn.Module:
    """Give a network the memory of another one, in the plain form.

    Args:
        baseline (nn.Module): The network without memory; changed in place.
        model (nn.Module): The same network with MLFM.
        halve (Callable): Keeps the low-low band. Defaults to Haar's.

    Returns:
        nn.Module: ``baseline``, with the weights and the memory of
        ``model``; the memory is called ``memory``.
    """
    state = {
        # A neck behind the memory is the baseline's neck.
        ('neck.' + key[len('neck.neck.') :])
        if key.startswith('neck.neck.')
        else key: value
        for key, value in model.state_dict().items()
        if not key.startswith('neck.units.')
    }
    baseline.load_state_dict(state)
    taps = model.neck.taps
    memory = PlainMemory(
        [PlainUnit.like(unit) for unit in model.neck.units],
        [tap.level for tap in taps],
        halve,
    )
    memory.attach(baseline.backbone, [tap.module for tap in taps])
    baseline.memory = memory
    return baseline.train(model.training)
