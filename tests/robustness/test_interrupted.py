"""A pass that ends early leaves nothing behind."""

import gc
import weakref

import pytest
import torch
from torch import nn

from tests.models.builders import shaken
from tests.robustness.models import images, narrow

PLACES = [
    'backbone.conv1',
    'backbone.relu',
    'backbone.layer1.1',
    'backbone.layer4',
    'neck.units.0',
    'neck.units.3.output_gate',
    'neck.units.5',
    'neck.neck',
    'head',
]


class Interrupted(Exception):
    """What a test raises inside a pass."""


def interrupt(model: nn.Module, place: str, x: torch.Tensor) -> None:
    def fail(*args: object) -> None:
        raise Interrupted

    handle = model.get_submodule(place).register_forward_pre_hook(fail)
    try:
        with pytest.raises(Interrupted):
            model(x)
    finally:
        handle.remove()


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('place', PLACES)
def test_after_an_exception(place: str, training: bool) -> None:
    model = shaken(narrow()).train(training)
    fresh = shaken(narrow()).train(training)
    x = images()
    alive: list[weakref.ref] = []

    def remember(module: nn.Module, inputs: tuple, output: object) -> None:
        for tensor in output if isinstance(output, tuple) else (output,):
            alive.append(weakref.ref(tensor))

    for unit in model.neck.units:
        unit.register_forward_hook(remember)
    # Statistics that the failed pass recorded must not count here.
    state = {k: v.clone() for k, v in model.state_dict().items()}
    with torch.set_grad_enabled(training):
        interrupt(model, place, images(seed=1))
        gc.collect()
        assert all(tensor() is None for tensor in alive)
        model.load_state_dict(state)
        assert torch.equal(model(x), fresh(x))


@pytest.mark.parametrize(
    'partial',
    [
        lambda model, x: model.extract_feat(x, stage='backbone'),
        lambda model, x: model.backbone(x),
        lambda model, x: model.backbone.conv1(x),
        lambda model, x: model.backbone.maxpool,
    ],
    ids=['stage=backbone', 'backbone', 'first module', 'nothing'],
)
def test_after_a_pass_of_a_part(partial) -> None:
    model = shaken(narrow()).eval()
    x = images()
    with torch.no_grad():
        expected = model(x)
        partial(model, images(2, 3, 48, 80, seed=1))
        assert torch.equal(model(x), expected)


def test_the_backbone_alone_returns_refined_maps() -> None:
    model = shaken(narrow()).eval()
    x = images()
    with torch.no_grad():
        (refined,) = model.extract_feat(x, stage='backbone')
        (pooled,) = model.extract_feat(x)
        torch.testing.assert_close(refined.mean((2, 3)), pooled)


def test_a_stage_alone_is_refused() -> None:
    model = narrow().eval()
    with pytest.raises(RuntimeError, match='outside a forward pass'):
        model.backbone.layer1(images(1, 8, 16, 16))
