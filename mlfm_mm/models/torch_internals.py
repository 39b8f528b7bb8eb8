"""What PyTorch knows of a pass under way, and tells only in private names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad


def is_traced() -> bool:
    """Tell whether a compiler or an exporter looks on.

    Nothing may depend on a shape then, and plain operators are what it
    optimizes best.

    Returns:
        bool: Whether it does.

    Example:
        >>> is_traced()
        False
    """
    return torch.compiler.is_compiling() or torch.jit.is_tracing()


def is_transformed() -> bool:
    """Tell whether torch.func or forward-mode differentiation is at work.

    Returns:
        bool: Whether one of them is: operators written by hand, with a
        backward pass only, cannot take part.

    Example:
        >>> x = torch.ones(2)
        >>> torch.func.vmap(lambda x: x * is_transformed())(x)
        tensor([1., 1.])
    """
    return (
        torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
    )


def is_batch_of(grad: Tensor) -> bool:
    """Tell whether a gradient stands for several, to be computed at once.

    Args:
        grad (Tensor): What a backward pass is given.

    Returns:
        bool: Whether ``is_grads_batched`` or ``vectorize=True`` was asked for,
        which operators that write to a given place cannot serve.

    Example:
        >>> is_batch_of(torch.ones(2))
        False
    """
    functorch = torch._C._functorch
    return functorch.is_legacy_batchedtensor(grad) or (
        functorch.is_batchedtensor(grad)
    )


def all_are_watched() -> bool:
    """Tell whether hooks hang on all modules at once.

    Returns:
        bool: Whether they do: then every part of a unit has to be called.

    Example:
        >>> all_are_watched()
        False
    """
    module = nn.modules.module
    return any(
        (
            module._global_forward_pre_hooks,
            module._global_forward_hooks,
            module._global_backward_pre_hooks,
            module._global_backward_hooks,
        )
    )


def in_backward_pass() -> bool:
    """Tell whether the caller is being recomputed by a backward pass.

    Returns:
        bool: Whether it is; never while compiling, since compilers recompute
        without calling modules again.

    Example:
        >>> in_backward_pass()
        False
    """
    if torch.compiler.is_compiling():
        return False
    return torch._C._current_graph_task_id() != -1


@contextmanager
def buffers_kept(module: nn.Module) -> Iterator[None]:
    """Let what runs inside write to copies of a module's buffers.

    Args:
        module (nn.Module): The module.

    Yields:
        None: Nothing.

    Example:
        >>> norm = nn.BatchNorm2d(1)
        >>> with buffers_kept(norm):
        ...     _ = norm(torch.ones(2, 1, 2, 2))
        >>> norm.num_batches_tracked
        tensor(0)
    """
    kept = [(m, dict(m._buffers)) for m in module.modules() if m._buffers]
    for m, buffers in kept:
        m._buffers.update(
            {k: b.clone() for k, b in buffers.items() if b is not None}
        )
    try:
        yield
    finally:
        for m, buffers in kept:
            m._buffers.update(buffers)


def guard_hooks() -> None:
    """Let compiled code find out that a module has other hooks.

    By default PyTorch's compiler takes a graph that it made for one network
    for another of the same class, whether or not hooks hang on it: a network
    with memory would run as the one without.
    """
    config = torch._dynamo.config
    if config.skip_nnmodule_hook_guards:
        config.skip_nnmodule_hook_guards = False
        # Graphs made before do not look at hooks.
        torch._dynamo.reset()
