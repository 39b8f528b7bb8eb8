"""What is asked of PyTorch's private names."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.function import FunctionCtx
from torch.utils.checkpoint import checkpoint

from mlfm_mm.models.torch_internals import (
    buffers_kept,
    guard_hooks,
    has_global_hooks,
    holds,
    in_backward_pass,
    is_traced,
    is_transformed,
    is_vmapped,
)


def test_a_trace_is_seen() -> None:
    seen = []

    def look(x: Tensor) -> Tensor:
        seen.append(is_traced())
        return x + 1

    torch.jit.trace(look, torch.ones(1), check_trace=False)
    assert seen == [True]
    assert not is_traced()


def test_transforms_are_seen() -> None:
    seen = []

    def look(x: Tensor) -> Tensor:
        seen.append(is_transformed())
        return x.sum()

    x = torch.ones(2)
    torch.func.grad(look)(x)
    torch.func.vmap(look)(x)
    with torch.autograd.forward_ad.dual_level():
        look(x)
    look(x)
    assert seen == [True, True, True, False]


class Looks(torch.autograd.Function):
    """Tells whether it is given several gradients at once."""

    seen: list[bool]

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> Tensor:
        Looks.seen.append(is_vmapped(grad))
        return 2 * grad


def test_several_gradients_at_once_are_seen() -> None:
    Looks.seen = []
    x = torch.ones(2, requires_grad=True)
    torch.autograd.functional.jacobian(Looks.apply, x, vectorize=True)
    torch.autograd.functional.jacobian(Looks.apply, x)
    assert Looks.seen == [True, False, False]


@pytest.mark.parametrize(
    'register',
    [
        nn.modules.module.register_module_forward_hook,
        nn.modules.module.register_module_forward_pre_hook,
        nn.modules.module.register_module_full_backward_hook,
    ],
)
def test_hooks_on_all_modules_are_seen(register: Callable) -> None:
    handle = register(lambda *_: None)
    try:
        assert has_global_hooks()
    finally:
        handle.remove()
    assert not has_global_hooks()


@pytest.mark.parametrize('reentrant', [False, True])
def test_recomputation_is_seen(reentrant: bool) -> None:
    seen = []

    def look(x: Tensor) -> Tensor:
        seen.append(in_backward_pass())
        return x.square().sin()

    x = torch.ones(1, requires_grad=True)
    checkpoint(look, x, use_reentrant=reentrant).backward()
    assert seen == [False, True]


def test_buffers_come_back_after_an_exception() -> None:
    norm = nn.BatchNorm2d(2)
    mean = norm.running_mean
    with pytest.raises(RuntimeError), buffers_kept(norm):
        norm(torch.randn(2, 2, 3, 3))
        raise RuntimeError
    assert norm.running_mean is mean
    assert not mean.any()


def test_graphs_made_before_do_not_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = torch._dynamo.config
    resets: list[int] = []
    monkeypatch.setattr(torch._dynamo, 'reset', lambda: resets.append(1))
    with config.patch(skip_nnmodule_hook_guards=True):
        guard_hooks()
        guard_hooks()
        assert resets == [1]
        assert not config.skip_nnmodule_hook_guards


def test_a_condition_without_a_value() -> None:
    assert holds(torch.ones(1).any()) and not holds(torch.zeros(1).any())
    assert not holds(torch.ones(1, device='meta').any())
    with FakeTensorMode():
        assert not holds(torch.ones(1).any())
