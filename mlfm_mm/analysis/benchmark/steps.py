"""What is timed: a forward pass, or a whole training step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..complexity import dummy, total
from .setting import DTYPES, LAYOUTS, Setting

Step = Callable[[], None]


def make_step(
    model: nn.Module, setting: Setting, channels: int = 3
) -> tuple[Step, Callable[[], Tensor]]:
    """Put a network into a setting.

    Args:
        model (nn.Module): The network; moved and changed in place.
        setting (Setting): The setting.
        channels (int): Channels of the images. Defaults to 3.

    Returns:
        tuple[Callable, Callable]: What is timed, and the forward pass in it,
        up to the sum of the outputs.
    """
    layout = LAYOUTS[setting.layout]
    model.to(setting.device)
    # PyTorch's type hints do not know this argument.
    cast(Any, model).to(memory_format=layout)
    # Some hosts' train() returns nothing, so that calls cannot be chained.
    model.train(setting.training)
    images = dummy(model, setting.batch, channels, setting.size)
    images = images.to(memory_format=layout)
    call = compiled(model) if setting.mode == 'compiled' else model
    autocast = torch.autocast(
        images.device.type,
        DTYPES[setting.dtype],
        enabled=setting.dtype != 'fp32',
    )

    def forward() -> Tensor:
        with autocast:
            return total(call(images))

    if setting.training:
        return training_step(model, forward), forward

    def infer() -> None:
        with torch.no_grad(), autocast:
            call(images)

    return infer, forward


def compiled(model: nn.Module) -> Callable[..., Any]:
    """Compile a network, whatever was compiled before it.

    PyTorch does not look at hooks when it asks whether a graph fits a
    module, so that a network would be given the graph of the one that it
    differs from in hooks only.

    Args:
        model (nn.Module): The network.

    Returns:
        Callable: It, compiled at the first call.
    """
    patch = torch._dynamo.config.patch(skip_nnmodule_hook_guards=False)
    call: Callable[..., Any] = patch(torch.compile(model.__call__))
    return call


def training_step(model: nn.Module, forward: Callable[[], Tensor]) -> Step:
    """Make a step of forward, backward and update.

    Args:
        model (nn.Module): The network.
        forward (Callable): Its forward pass, which gives the loss.

    Returns:
        Callable: The step.
    """
    # A rate of zero costs the same, and leaves no weight to run away.
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        forward().backward()
        optimizer.step()

    return step


def synchronizer(device: str) -> Step:
    """Give what waits until a device has done its work."""
    if device.startswith('cuda'):
        return torch.cuda.synchronize
    return lambda: None
