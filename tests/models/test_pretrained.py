"""A backbone that is initialized from a checkpoint brings its memory along."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.model import PretrainedInit
from torch import nn

from mlfm_mm.models.pretrained import pretrained_of
from tests.models.builders import classifier, plain_classifier

# A checkpoint's keys: where the backbone and where the units lie.
PLACES = {
    'classifier': ('backbone.', 'neck.units.'),
    'necks in a list': ('backbone', 'neck.1.units.'),
    'teacher and student': ('student.backbone.', 'student.neck.units.'),
}


@pytest.fixture(scope='module')
def trained() -> nn.Module:
    """A classifier with memory, whose weights are all its own."""
    model = classifier()
    model.init_weights()
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor += torch.rand_like(tensor)
    return model


def saved(model: nn.Module, path: Path, place: str = 'classifier') -> str:
    """Save a network under the keys of a larger one."""
    backbone, units = PLACES[place]
    parent = backbone.partition('backbone')[0]
    weights = {
        parent + key.replace('neck.units.', units.removeprefix(parent)): value
        for key, value in model.state_dict().items()
    }
    torch.save(dict(state_dict=weights, meta={}), path)
    return str(path)


def started(
    checkpoint: str,
    prefix: str | None,
    type: str = 'Pretrained',
    **options: Any,
) -> nn.Module:
    """A network as it is when its training starts."""
    init = dict(type=type, checkpoint=checkpoint, prefix=prefix)
    backbone = dict(type='mmpretrain.ResNet', depth=18, init_cfg=init)
    model = classifier(backbone, **options)
    model.init_weights()
    return model


def same(a: nn.Module, b: nn.Module) -> bool:
    """Whether two modules hold the same parameters and buffers."""
    ours, theirs = a.state_dict(), b.state_dict()
    return ours.keys() == theirs.keys() and all(
        torch.equal(ours[key], theirs[key]) for key in ours
    )


@pytest.mark.parametrize('place', PLACES)
def test_the_memory_of_a_pretrained_backbone_is_loaded_with_it(
    trained: nn.Module, tmp_path: Path, place: str
) -> None:
    file = saved(trained, tmp_path / 'net.pth', place)
    model = started(file, PLACES[place][0])
    assert same(model.backbone, trained.backbone)
    assert same(model.neck.units, trained.neck.units)
    assert not same(model.head, trained.head)


def test_identity_init_does_not_silence_a_loaded_memory(
    tmp_path: Path,
) -> None:
    first = classifier(identity_init=True)
    nn.init.ones_(first.neck.units[0].output_gate.weight)
    file = saved(first, tmp_path / 'net.pth')
    model = started(file, 'backbone.', identity_init=True)
    assert same(model.neck.units, first.neck.units)


@pytest.mark.parametrize('prefix', ['backbone.', None])
def test_a_backbone_trained_without_memory_brings_none(
    tmp_path: Path, prefix: str | None
) -> None:
    first = plain_classifier()
    weights = first if prefix else first.backbone
    file = saved(weights, tmp_path / 'net.pth')
    model = started(file, prefix, identity_init=True)
    assert same(model.backbone, first.backbone)
    assert not any(unit.output_gate.weight.any() for unit in model.neck.units)


def test_the_init_cfg_of_the_neck_comes_first(
    trained: nn.Module, tmp_path: Path
) -> None:
    file = saved(trained, tmp_path / 'net.pth')
    constant = dict(type='Constant', layer='Conv2d', val=0.5)
    model = started(file, 'backbone.', init_cfg=constant)
    for unit in model.neck.units:
        assert (unit.input_gate.conv.weight == 0.5).all()


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (dict(supplement=False), 'unexpected key in source state_dict'),
        (dict(update='concat'), 'size mismatch'),
    ],
)
def test_another_memory_is_loaded_as_far_as_it_fits_and_said_so(
    trained: nn.Module,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    options: dict[str, Any],
    said: str,
) -> None:
    file = saved(trained, tmp_path / 'net.pth')
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    model = started(file, 'backbone.', **options)
    logger.removeHandler(caplog.handler)
    ours, theirs = model.neck.units[0], trained.neck.units[0]
    assert same(ours.input_gate, theirs.input_gate)
    assert said in caplog.text


def test_the_checkpoint_is_found_in_any_init_cfg() -> None:
    kaiming, loads = dict(type='Kaiming'), dict(type=PretrainedInit)
    assert pretrained_of(None) is pretrained_of(kaiming) is None
    assert pretrained_of([kaiming, loads]) is loads
    assert pretrained_of(dict(type='Pretrained', checkpoint='a')) is not None


@pytest.mark.parametrize(
    'kind', ['mmengine.Pretrained', 'mmengine.model.PretrainedInit']
)
def test_the_type_may_have_a_scope_or_a_module(
    trained: nn.Module, tmp_path: Path, kind: str
) -> None:
    # A dumped config in the style of pure Python names classes by modules.
    file = saved(trained, tmp_path / 'net.pth')
    model = started(file, 'backbone.', type=kind)
    assert same(model.backbone.conv1, trained.backbone.conv1)
    assert same(model.neck.units, trained.neck.units)
