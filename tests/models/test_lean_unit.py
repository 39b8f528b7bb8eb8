"""When a unit runs as one operation, and what that keeps."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from mlfm_mm import LFMU
from mlfm_mm.models.lean_function import LeanUnitFunction
from mlfm_mm.models.lean_unit import is_lean
from tests.models.builders import UNIT_OPTIONS, shaken
from tests.robustness.models import images, narrow

X = torch.randn(2, 8, 5, 7, dtype=torch.float64)
MEMORY = torch.randn(2, 6, 5, 7, dtype=torch.float64)
IMAGE = torch.randn(2, 3, 5, 7, dtype=torch.float64)


def listen(unit: LFMU) -> None:
    unit.input_gate.conv.register_forward_hook(lambda *_: None)


def freeze_one(unit: LFMU) -> None:
    unit.output_gate.eval()


def parametrize(unit: LFMU) -> None:
    nn.utils.parametrizations.weight_norm(unit.input_gate.conv)


@pytest.mark.parametrize('change', [listen, freeze_one, parametrize])
def test_unusual_parts_run_one_by_one(change: Callable) -> None:
    unit = LFMU(6, 8)
    assert is_lean(unit, X)
    change(unit)
    assert not is_lean(unit, X)


@pytest.mark.parametrize(
    'options',
    [
        dict(norm_cfg=dict(type='GN', num_groups=2)),
        dict(norm_cfg=dict(type='SyncBN')),
        dict(norm_cfg=None),
        dict(act_cfg=dict(type='GELU')),
    ],
)
def test_other_norms_and_activations_run_one_by_one(options: dict) -> None:
    assert not is_lean(LFMU(6, 8, **options), X)


def test_a_hook_on_a_part_is_called() -> None:
    unit, calls = LFMU(6, 8).double(), []
    unit.input_gate.conv.register_forward_hook(lambda *_: calls.append(1))
    unit(X, MEMORY, IMAGE)
    assert calls == [1]


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('with_cp', [False, True])
@pytest.mark.parametrize('options', UNIT_OPTIONS)
def test_gradients(options: dict, with_cp: bool, training: bool) -> None:
    unit = LFMU(6, 8, with_cp=with_cp, **options).double()
    shaken(unit).train(training)
    weights = dict(unit.named_parameters())

    def call(x: Tensor, memory: Tensor, image: Tensor, *values: Tensor):
        state = dict(zip(weights, values, strict=True))
        return torch.func.functional_call(unit, state, (x, memory, image))

    leaves = [
        t.detach().clone().requires_grad_()
        for t in (X, MEMORY, IMAGE, *weights.values())
    ]
    out = call(*leaves)[0]
    assert isinstance(out.grad_fn, LeanUnitFunction._backward_cls)
    assert gradcheck(call, leaves, fast_mode=True)


def test_a_second_derivative_is_refused() -> None:
    unit = LFMU(6, 8).double()
    x = X.clone().requires_grad_()
    out, _ = unit(x, MEMORY, IMAGE)
    (grad,) = torch.autograd.grad(out.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match='once_differentiable'):
        grad.square().sum().backward()


def kept_bytes(model: nn.Module, x: Tensor) -> int:
    weights = [*model.parameters(), *model.buffers()]
    known = {t.untyped_storage().data_ptr() for t in weights}
    found: dict[int, int] = {}

    def pack(t: Tensor) -> Tensor:
        storage = t.untyped_storage()
        if storage.data_ptr() not in known:
            found[storage.data_ptr()] = storage.nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        # Held, or a storage's address would be used again.
        output = model(x)
    del output
    return sum(found.values())


def test_how_much_is_kept() -> None:
    x = images(2, 3, 64, 64)
    plain = narrow(neck=dict(type='mmpretrain.GlobalAveragePooling')).train()
    base = kept_bytes(plain, x)
    ratios = [
        kept_bytes(narrow(with_cp=with_cp).train(), x) / base
        for with_cp in (False, True)
    ]
    assert ratios[0] < 1.6
    assert ratios[1] < 1.3  # narrow: the image weighs more than usual


def test_an_image_changed_in_place_is_noticed() -> None:
    model = narrow(with_cp=True).train()
    x = images()
    loss = model(x).sum()
    x.add_(1)
    with pytest.raises(RuntimeError, match=r'changed in place|modified by an'):
        loss.backward()


def test_the_graph_may_be_run_twice() -> None:
    model = narrow(with_cp=True).train()
    loss = model(images()).square().mean()
    loss.backward(retain_graph=True)
    first = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    loss.backward()
    torch.testing.assert_close(first, [p.grad for p in model.parameters()])
