"""A narrow ResNet-18 with MLFM, and how two of them are compared."""

from typing import Any

import torch
from torch import Tensor, nn

from tests.models.builders import classifier

NARROW = dict(
    type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8
)
# With units inside stages 2 and 3.
DEEP = dict(NARROW, depth=34)


def narrow(
    backbone: dict | None = None, seed: int = 0, **options: Any
) -> nn.Module:
    """A narrow classifier with MLFM, initialized from a seed."""
    torch.manual_seed(seed)
    backbone = dict(NARROW, **(backbone or {}))
    return classifier(backbone, channels=64, **options)


def images(*shape: int, seed: int = 0) -> Tensor:
    """Random images, (4, 3, 64, 64) when no shape is given."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape or (4, 3, 64, 64), generator=generator)


def step(model: nn.Module, x: Tensor) -> Tensor:
    """Run a forward and a backward pass; give the output."""
    y = model(x)
    y.square().mean().backward()
    return y.detach()


def gradients(model: nn.Module) -> dict[str, Tensor | None]:
    """The gradients by name."""
    return {name: p.grad for name, p in model.named_parameters()}


def buffers(model: nn.Module) -> dict[str, Tensor]:
    """The buffers by name: running statistics and counts."""
    return {name: b.clone() for name, b in model.named_buffers()}
