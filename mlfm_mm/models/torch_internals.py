"""Questions about the current pass that take private names of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.autograd import forward_ad


def is_traced() -> bool:
    """Tell whether the model is being compiled, exported or traced.

    Then nothing may branch on a shape, and plain operators are what a compiler
    optimizes best.

    Returns:
        bool: Whether it is.

    Example:
        >>> is_traced()
        False
    """
    return torch.compiler.is_compiling() or torch.jit.is_tracing()


def is_transformed() -> bool:
    """Tell whether torch.func or forward-mode differentiation is active.

    Returns:
        bool: Whether one of them is. Our autograd functions define neither
        vmap nor jvp, so they cannot be used then.

    Example:
        >>> x = torch.ones(2)
        >>> torch.func.vmap(lambda x: x * is_transformed())(x)
        tensor([1., 1.])
    """
    return (
        torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
    )


def is_vmapped(grad: Tensor) -> bool:
    """Tell whether a gradient is batched by vmap.

    Args:
        grad (Tensor): The gradient that a backward pass receives.

    Returns:
        bool: Whether it comes from ``is_grads_batched`` or ``vectorize=True``,
        which operators with an ``out`` tensor do not support.

    Example:
        >>> is_vmapped(torch.ones(2))
        False
    """
    functorch = torch._C._functorch
    return functorch.is_legacy_batchedtensor(grad) or (
        functorch.is_batchedtensor(grad)
    )


def any_overrides_operators(*tensors: Tensor | None) -> bool:
    """Tell whether tensors have classes that choose their own operators.

    Args:
        *tensors (Tensor | None): The tensors.

    Returns:
        bool: Whether one is of a subclass with a ``__torch_function__``, as
        libraries of images have. Such an operator may return another class.

    Example:
        >>> class Photograph(Tensor):
        ...     pass
        >>> x = torch.ones(2)
        >>> (
        ...     any_overrides_operators(x, None),
        ...     any_overrides_operators(x.as_subclass(Photograph)),
        ... )
        (False, True)
    """
    plain = torch._C._disabled_torch_function_impl
    kinds = {type(t) for t in tensors if t is not None} - {Tensor}
    return any(kind.__torch_function__ is not plain for kind in kinds)


def has_values(tensor: Tensor) -> bool:
    """Tell whether a tensor has values.

    Args:
        tensor (Tensor): The tensor. Fake tensors and those on the meta device,
            by which networks are measured without running them, have none.

    Returns:
        bool: Whether it has.

    Example:
        >>> has_values(torch.ones(2)), has_values(torch.ones(2, device='meta'))
        (True, False)
    """
    return not (isinstance(tensor, FakeTensor) or tensor.is_meta)


def holds(condition: Tensor) -> bool:
    """Tell whether a condition holds; one without a value never does.

    Args:
        condition (Tensor): A single boolean.

    Returns:
        bool: Its value.

    Example:
        >>> holds(torch.tensor(True))
        True
    """
    return has_values(condition) and bool(condition)


def has_global_hooks() -> bool:
    """Tell whether global module hooks are registered.

    Returns:
        bool: Whether they are: then each module of a unit has to be called.

    Example:
        >>> has_global_hooks()
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
        bool: Whether it is. Never while compiling: compilers recompute without
        calling modules again.

    Example:
        >>> in_backward_pass()
        False
    """
    if torch.compiler.is_compiling():
        return False
    return torch._C._current_graph_task_id() != -1


@contextmanager
def buffers_kept(module: nn.Module) -> Iterator[None]:
    """Redirect writes to a module's buffers to copies of them.

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
    """Make torch.compile recompile when a module's hooks differ.

    By default it reuses the graph of one network for another of the same
    class, whatever hooks that has: a network with memory would run like the
    one without.
    """
    config = torch._dynamo.config
    if config.skip_nnmodule_hook_guards:
        config.skip_nnmodule_hook_guards = False
        # Graphs compiled before have no guards on hooks.
        torch._dynamo.reset()
