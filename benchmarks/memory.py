"""The activations that a network saves, and its peak of memory."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.profiler import ProfilerActivity, profile


@dataclass(eq=False)
class Kept:
    """A tensor that autograd keeps for the backward pass."""

    tensor: Tensor


def saved_bytes(model: nn.Module, forward: Callable[[], Tensor]) -> int:
    """Count what a forward pass saves for the backward pass.

    Each storage counts once, however many operations keep it; parameters and
    buffers, which are there anyway, do not count. Tensors that an operation
    keeps without ``save_for_backward`` are not seen.

    Args:
        model (nn.Module): The network.
        forward (Callable): Its forward pass, which gives the loss.

    Returns:
        int: The bytes.

    Example:
        >>> layer = nn.Linear(8, 8)
        >>> x = torch.rand(2, 8)
        >>> saved_bytes(layer, lambda: layer(x).square().sum())
        128
    """
    kept: weakref.WeakSet[Kept] = weakref.WeakSet()

    def pack(tensor: Tensor) -> Kept:
        item = Kept(tensor)
        kept.add(item)
        return item

    with saved_tensors_hooks(pack, lambda item: item.tensor):
        loss = forward()
    # The weak set has dropped what no graph holds any more.
    sizes = {}
    for item in kept:
        storage = item.tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
    for tensor in (*model.parameters(), *model.buffers()):
        sizes.pop(tensor.untyped_storage().data_ptr(), None)
    del loss
    return sum(sizes.values())


def peak_bytes(model: nn.Module, step: Callable[[], None], device: str) -> int:
    """Measure the peak of memory above what is allocated before a step.

    Args:
        model (nn.Module): The network, whose gradients are dropped first;
            it should have been run before.
        step (Callable): What is run.
        device (str): The device it runs on.

    Returns:
        int: The most bytes that PyTorch held at once for the step; what
        libraries take for themselves is not seen.
    """
    model.zero_grad()
    gc.collect()
    if not device.startswith('cuda'):
        return peak_on_cpu(step)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    step()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def peak_on_cpu(step: Callable[[], None]) -> int:
    """Add up the allocations on the CPU that the profiler records.

    Example:
        >>> def step():
        ...     a = torch.empty(1000)
        ...     b = a.sqrt()
        ...     del a
        ...     return b.sqrt()
        >>> peak_on_cpu(step)
        8000
    """
    with profile(
        activities=[ProfilerActivity.CPU],
        profile_memory=True,
        acc_events=True,
    ) as profiler:
        step()
    results = profiler.profiler.kineto_results
    changes = sorted(
        (event.start_ns(), index, event.nbytes())
        for index, event in enumerate(results.events())
        if event.name() == '[memory]'
    )
    live = peak = 0
    for _, _, change in changes:
        live += change
        peak = max(peak, live)
    return peak
