"""How networks are run while they are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from mlfm_mm.analysis.complexity import dummy
from mlfm_mm.engine import UsageError

DTYPES = dict(fp32=torch.float32, fp16=torch.float16, bf16=torch.bfloat16)
LAYOUTS = dict(
    contiguous=torch.contiguous_format, channels_last=torch.channels_last
)
MODES = ('eager', 'compiled')

Step = Callable[[], None]


@dataclass(frozen=True)
class Setting:
    """How networks are run while they are measured.

    Args:
        batch (int): Images in a batch. Defaults to 4.
        size (str): Height and width of the images, such as ``'512x1024'``,
            or one for both. Defaults to ``'256'``.
        dtype (str): ``'fp32'``, or what autocast takes, ``'fp16'`` or
            ``'bf16'``. Defaults to ``'fp32'``.
        layout (str): ``'contiguous'`` or ``'channels_last'``. Defaults to
            ``'contiguous'``.
        mode (str): ``'eager'`` or ``'compiled'``. Defaults to ``'eager'``.
        device (str): ``'cpu'`` or ``'cuda'``. Defaults to ``'cpu'``.

    Raises:
        UsageError: A value cannot be measured here.

    Example:
        >>> print(Setting(batch=2, size='64x96'))
        batch 2, 64x96, fp32, contiguous, eager, cpu
    """

    batch: int = 4
    size: str = '256'
    dtype: str = 'fp32'
    layout: str = 'contiguous'
    mode: str = 'eager'
    device: str = 'cpu'

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise UsageError(f'--batch {self.batch} is too small: give 1')
        numbers = self.size.split('x')
        usable = [n.isdecimal() and int(n) > 0 for n in numbers]
        if len(numbers) > 2 or not all(usable):
            raise UsageError(
                f'--size {self.size}: give HEIGHTxWIDTH, such as 512x1024, '
                'or one number for both'
            )
        on_gpu = self.device.startswith('cuda')
        if self.device != 'cpu' and not (on_gpu and torch.cuda.is_available()):
            raise UsageError(
                f'--device {self.device}: this PyTorch finds none; give cpu'
            )

    @property
    def image_size(self) -> tuple[int, int]:
        """tuple[int, int]: Height and width."""
        numbers = self.size.split('x')
        return int(numbers[0]), int(numbers[-1])

    def __str__(self) -> str:
        height, width = self.image_size
        return (
            f'batch {self.batch}, {height}x{width}, {self.dtype}, '
            f'{self.layout}, {self.mode}, {self.device}'
        )


@dataclass(frozen=True)
class Program:
    """A network in a setting.

    Args:
        model (nn.Module): The network.
        forward (Callable): A forward pass up to the sum of the outputs.
        step (Callable): What is timed: an inference without gradients, or a
            training step with an update by SGD with momentum.
    """

    model: nn.Module
    forward: Callable[[], Tensor]
    step: Step


def make_program(
    model: nn.Module, setting: Setting, training: bool, channels: int = 3
) -> Program:
    """Prepare a network for a setting, which changes it in place."""
    layout = LAYOUTS[setting.layout]
    model.to(setting.device)
    # PyTorch's type hints do not know this argument.
    cast(Any, model).to(memory_format=layout)
    # Some hosts' train() returns None, so that calls cannot be chained.
    model.train(training)
    images = dummy(model, setting.batch, channels, setting.image_size)
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

    def infer() -> None:
        with torch.no_grad():
            forward()

    if not training:
        return Program(model, forward, infer)
    # A learning rate of zero costs the same, and no weight can diverge.
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0, momentum=0.9)

    def train() -> None:
        optimizer.zero_grad()
        forward().backward()
        optimizer.step()

    return Program(model, forward, train)


def total(output: Tensor | list | tuple) -> Tensor:
    """Sum all tensors that a network returns."""
    if isinstance(output, Tensor):
        return output.sum()
    return torch.stack([total(item) for item in output]).sum()


def compiled(model: nn.Module) -> Callable[..., Any]:
    """Compile a network, without reusing the graph of another one.

    By default the guards of a graph ignore hooks, so that a network would
    run the graph of one that differs from it in hooks only.
    """

    # A function of our own, since Dynamo skips those of PyTorch, such as the
    # forward() of a Sequential.
    def run(images: Tensor) -> Any:
        return model(images)

    patch = torch._dynamo.config.patch(skip_nnmodule_hook_guards=False)
    call: Callable[..., Any] = patch(torch.compile(run))
    return call
