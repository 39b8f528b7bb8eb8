"""The least time an inference can take: bytes over bandwidth.

An ideal program reads and writes each map of the trunk once for each
convolution, pooling or linear layer, with norm, activation and addition done
while the map is at hand; and does all of a memory unit in one sweep, the
low-pass behind it included. What those bytes take at the speed at which this
machine copies memory is a floor: of the network, and, more telling, of what
the memory adds to it.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from ...models.taps import Tap
from ..complexity import dummy
from .setting import Setting
from .timing import nothing, time_once

aten = torch.ops.aten
# What reads its inputs from memory and writes its output there.
SWEEPS = {
    aten.convolution,
    aten.addmm,
    aten.mm,
    aten.bmm,
    aten.max_pool2d_with_indices,
    aten.avg_pool2d,
    aten._adaptive_avg_pool2d,
    aten.mean,
    aten.upsample_bilinear2d,
}
# What is done on the way, but has to read its second map.
JOINS = {aten.add, aten.add_, aten.mul}


class Traffic(TorchDispatchMode):
    """Count the elements that an ideal program moves."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple = (),
        kwargs: dict | None = None,
    ) -> Any:
        """Run an operation, and count it."""
        out = func(*args, **(kwargs or {}))
        tensors = [x for x in args if isinstance(x, Tensor)]
        if func.overloadpacket in SWEEPS:
            first = out[0] if isinstance(out, tuple) else out
            self.elements += first.numel() + sum(x.numel() for x in tensors)
        elif func.overloadpacket in JOINS and len(tensors) == 2:
            self.elements += tensors[1].numel()
        return out


def on_meta(model: nn.Module) -> nn.Module:
    """Copy a network to where tensors hold no numbers."""
    return copy.deepcopy(model).to('meta').train(False)


def count_macs(model: nn.Module, setting: Setting, channels: int = 3) -> int:
    """Count multiply-adds of convolutions and matrices for one image.

    They are counted where PyTorch dispatches them, whoever calls them, by a
    pass with real numbers: what a network does may depend on the device.

    Args:
        model (nn.Module): The network; its mode is restored.
        setting (Setting): Tells the size of the image.
        channels (int): Channels of the image. Defaults to 3.

    Returns:
        int: The multiply-adds.

    Example:
        >>> layer = nn.Conv2d(3, 8, 3, padding=1)
        >>> count_macs(layer, Setting(size=(10, 10)))
        21600
    """
    counter = FlopCounterMode(display=False)
    training = model.training
    # Some hosts' train() returns nothing, so that calls cannot be chained.
    model.train(False)
    # Where somebody listens, a memory unit calls its parts one by one; its
    # lean form pads matrices, which is no work of the network's.
    hooks = [
        module.register_forward_hook(lambda *_: None)
        for module in model.modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.no_grad(), counter:
        model(dummy(model, 1, channels, setting.size))
    for hook in hooks:
        hook.remove()
    model.train(training)
    return counter.get_total_flops() // 2


def trunk_bytes(model: nn.Module, setting: Setting, channels: int = 3) -> int:
    """Count the bytes that a network without memory must move.

    Args:
        model (nn.Module): The network; it is not touched.
        setting (Setting): The setting, of which the phase is ignored.
        channels (int): Channels of the image. Defaults to 3.

    Returns:
        int: The bytes of a forward pass.

    Example:
        >>> layer = nn.Conv2d(3, 8, 1, bias=False)
        >>> trunk_bytes(layer, Setting(batch=1, size=(10, 10)))
        4496
    """
    traffic = Traffic()
    shape = setting.batch, channels, *setting.size
    with torch.no_grad(), traffic:
        on_meta(model)(torch.empty(shape, device='meta'))
    return traffic.elements * setting.element_size


def memory_bytes(
    taps: Sequence[Tap],
    setting: Setting,
    image_channels: int = 3,
    widening: int = 1,
    supplements: Sequence[bool] | None = None,
) -> int:
    """Count the bytes that the memory must move.

    Args:
        taps (Sequence[Tap]): The taps.
        setting (Setting): The setting, of which the phase is ignored.
        image_channels (int): Channels of the image. Defaults to 3.
        widening (int): Channels of the memory a unit gives, in units of the
            trunk's; 2 if it concatenates. Defaults to 1.
        supplements (Sequence[bool], optional): Whether each unit reads the
            image. Defaults to None, all do.

    Returns:
        int: The bytes of a forward pass.

    Example:
        >>> tap = Tap('layer1', channels=4, reduction=1)
        >>> memory_bytes([tap], Setting(batch=1, size=(10, 10)))
        5600
    """
    reads = list(supplements or [True] * len(taps))
    pixels = [map_pixels(setting.size, tap.level) for tap in taps]
    elements = 0
    memory_channels = image_channels
    for index, tap in enumerate(taps):
        # It reads trunk, memory and image, and writes the trunk.
        channels = 2 * tap.channels + memory_channels
        channels += image_channels * reads[index]
        elements += channels * pixels[index]
        memory_channels = tap.channels * widening
        if index + 1 < len(taps):
            # The forgotten memory is all that leaves it.
            elements += memory_channels * pixels[index + 1]
    # The image becomes its bands, each written once; the first memory is one.
    readers = zip(taps, [True, *reads[1:]], strict=True)
    for level in range(max(tap.level for tap, read in readers if read)):
        both = map_pixels(setting.size, level)
        both += map_pixels(setting.size, level + 1)
        elements += image_channels * both
    return elements * setting.batch * setting.element_size


def map_pixels(size: tuple[int, int], level: int) -> int:
    """Count the pixels of an image that is halved some times."""
    height, width = (math.ceil(n / 2**level) for n in size)
    return height * width


def copy_bandwidth(
    device: str = 'cpu',
    synchronize: Callable[[], None] = nothing,
    megabytes: int = 128,
) -> float:
    """Measure how fast this machine copies memory.

    Args:
        device (str): The device. Defaults to 'cpu'.
        synchronize (Callable): Waits for it. Defaults to nothing.
        megabytes (int): What is copied, more than caches hold. Defaults to
            128.

    Returns:
        float: Bytes a second, read and written ones together.
    """
    source = torch.ones(megabytes * 2**18, device=device)
    target = torch.empty_like(source)

    def step() -> None:
        target.copy_(source)

    step()
    best, stop = math.inf, time.perf_counter() + 1
    while time.perf_counter() < stop:
        best = min(best, time_once(step, 1, synchronize))
    return 2 * source.numel() * source.element_size() / best
