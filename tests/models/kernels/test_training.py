"""A unit in training: its gradients, and what it keeps."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from mlfm_mm import LFMU
from tests.models.builders import UNIT_OPTIONS, shaken
from tests.robustness.models import images, narrow

X = torch.randn(2, 8, 5, 7, dtype=torch.float64)
MEMORY = torch.randn(2, 6, 5, 7, dtype=torch.float64)
IMAGE = torch.randn(2, 3, 5, 7, dtype=torch.float64)


def nodes_of(node: Any) -> set[str]:
    """Name the nodes of a graph from one of them on."""
    nodes = {node}
    while True:
        more = {n for node in nodes for n, _ in node.next_functions if n}
        if more <= nodes:
            return {node.name() for node in nodes}
        nodes |= more


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
    assert 'MemoryGateBackward' in nodes_of(out.grad_fn)
    assert gradcheck(call, leaves, fast_mode=True)


def test_a_second_derivative_names_the_option() -> None:
    x = X.clone().requires_grad_()
    out, _ = LFMU(6, 8).double()(x, MEMORY, IMAGE)
    with pytest.raises(RuntimeError, match='kernels=False'):
        torch.autograd.grad(out.square().sum(), x, create_graph=True)


@pytest.mark.parametrize('training', [False, True])
def test_several_gradients_at_once(training: bool) -> None:
    """As `is_grads_batched` and `jacobian(vectorize=True)` ask for them."""
    model = narrow().double().train(training)
    leaves = [images().double().requires_grad_(), *model.neck.parameters()]
    sums = model(leaves[0]).sum(0)[:3]
    kinds = torch.eye(3, dtype=sums.dtype)
    options = dict(retain_graph=True, is_grads_batched=True)
    batched = torch.autograd.grad(sums, leaves, kinds, **options)
    for index, one in enumerate(sums):
        alone = torch.autograd.grad(one, leaves, retain_graph=True)
        torch.testing.assert_close([b[index] for b in batched], list(alone))


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
    assert ratios[1] < 1.4  # narrow: the image weighs more than usual


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


@pytest.mark.parametrize('kernels', ['auto', False])
def test_a_weight_changed_between_two_backward_passes(kernels) -> None:
    """What a unit recomputes after a partial pass is never stale.

    PyTorch's checkpoint recomputes by the weights as they are by then; no
    unit may keep for another what it had opened before.
    """
    torch.manual_seed(0)
    model = narrow(with_cp=True, kernels=kernels).double().train()
    units = model.neck.units
    loss = model(images().double()).square().mean()
    late = units[3].input_gate.conv.weight
    torch.autograd.grad(loss, late, retain_graph=True)
    with torch.no_grad():
        units[2].input_gate.conv.weight.add_(1)
    loss.backward()
    weight = units[2].input_gate.conv.weight
    torch.manual_seed(0)
    twin = narrow(with_cp=True, kernels=False).double().train()
    loss = twin(images().double()).square().mean()
    with torch.no_grad():
        twin.neck.units[2].input_gate.conv.weight.add_(1)
    loss.backward()
    expected = twin.neck.units[2].input_gate.conv.weight.grad
    torch.testing.assert_close(weight.grad, expected)
