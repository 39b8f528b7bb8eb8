"""MLFMNeck on every backbone that mmpretrain and mmseg register."""

import csv
import importlib.util
from pathlib import Path

import mmpretrain.models
import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS as CLS
from torch import Tensor, nn

from mlfm_mm import LFMU, MLFMNeck
from mlfm_mm.models.taps.flow import tensors_in
from tests.hosts import SEG, needs_mmseg
from tests.models.builders import ToyModel
from tests.models.refused_backbones import NOT_LISTED, REFUSED, Refused
from tests.models.zoo_of_backbones import (
    SERVED,
    Served,
    build,
    named,
    title,
)

HOSTS = {'mmpretrain': CLS, 'mmseg': SEG}
assert mmpretrain.models
SWEEP = Path(__file__).parents[2] / 'docs' / 'results' / 'backbones.csv'
STALE = 'run python .dev_scripts/sweep_backbones.py'


def marked(entries: list) -> list:
    """Name the parameters, and let those of timm wait for timm."""
    has_timm = importlib.util.find_spec('timm') is not None
    parameters = []
    for entry in entries:
        needs_timm = entry.cfg['type'] == 'TIMMBackbone' and not has_timm
        marks = [pytest.mark.skip(reason='no timm')] if needs_timm else []
        if entry.host == 'mmseg':
            marks.append(needs_mmseg)
        name = f'{entry.host}-{title(entry).replace(" ", "-")}'
        parameters.append(pytest.param(entry, id=name, marks=marks))
    return parameters


@pytest.mark.parametrize(
    'host', ['mmpretrain', pytest.param('mmseg', marks=needs_mmseg)]
)
def test_every_backbone_is_listed(host: str) -> None:
    registered = {
        name
        for name, module in HOSTS[host].module_dict.items()
        if module.__module__.startswith(f'{host}.models.backbones.')
    }
    listed = {e.cfg['type'] for e in SERVED + REFUSED if e.host == host}
    new = registered - listed - NOT_LISTED[host].keys()
    assert not new, (
        f'{host} has backbones that no list knows: {", ".join(sorted(new))}. '
        'Add each to zoo_of_backbones.py, or with the reason to '
        'refused_backbones.py.'
    )
    gone = (listed | NOT_LISTED[host].keys()) - registered
    assert not gone, f'{host} has no {", ".join(sorted(gone))} any more'


def swept() -> dict[tuple[str, str], dict[str, str]]:
    """Read what the sweep noted of each class."""
    with SWEEP.open(encoding='utf-8', newline='') as file:
        return {
            (row['source'], row['kind']): row for row in csv.DictReader(file)
        }


# ---- served ---------------------------------------------------------------


class Watch:
    """Notes what flows through the units of a neck.

    Args:
        neck (MLFMNeck): A bound neck.
    """

    def __init__(self, neck: MLFMNeck) -> None:
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        for unit in neck.units:
            unit.register_forward_hook(self.note)

    def note(self, unit: LFMU, inputs: tuple, output: tuple) -> None:
        self.inputs.append(inputs[0])
        self.outputs.append(output[0])


def loss_of(output: object) -> Tensor:
    # A norm makes plain sums and sums of squares constant.
    return sum(
        (t * torch.randn_like(t)).sum() for t in tensors_in(output)
    ) / len(tensors_in(output))


def gradients(module: nn.Module) -> dict[str, Tensor]:
    found = {
        name: parameter.grad
        for name, parameter in module.named_parameters()
        if parameter.grad is not None
    }
    module.zero_grad(set_to_none=True)
    return found


def image_for(backbone: nn.Module, size: int) -> Tensor:
    first = next(m for m in backbone.modules() if isinstance(m, nn.Conv2d))
    return torch.randn(2, first.in_channels, size, size)


@pytest.mark.parametrize('entry', marked(SERVED))
def test_served(entry: Served) -> None:
    torch.manual_seed(0)
    backbone = build(entry)
    backbone.train()
    with DefaultScope.overwrite_default_scope(entry.host):
        loss_of(backbone(image_for(backbone, entry.sizes[0]))).backward()
        plain = gradients(backbone)
        model = ToyModel(backbone, MLFMNeck())
    neck, taps = model.neck, model.neck.taps
    row = swept()[f'classes of {entry.host}', named(entry)]
    assert row['taps'] == ' '.join(tap.module for tap in taps), STALE
    assert row['strides'] == ' '.join(str(t.reduction) for t in taps), STALE
    check_levels([tap.level for tap in taps])
    model.train()
    for size in entry.sizes:
        watch = Watch(neck)
        output = model(image_for(backbone, size))
        check_trunk(watch)
        loss_of(output).backward()
        for parameter in neck.parameters():
            assert parameter.grad is not None
        for unit in neck.units:
            assert unit.output_gate.weight.grad.any()
        got = gradients(model)
        assert all(grad.isfinite().all() for grad in got.values())
        assert {f'backbone.{name}' for name in plain} <= got.keys()


def check_levels(levels: list[int]) -> None:
    """Each resolution from the first to the last has a tap."""
    assert sorted(set(levels)) == list(range(levels[0], levels[-1] + 1))
    assert levels == sorted(levels)


def check_trunk(watch: Watch) -> None:
    """Each tap's feature depends on what the unit above made of its own."""
    for feature, above in zip(
        watch.inputs[1:], watch.outputs[:-1], strict=True
    ):
        probe = (feature * torch.randn_like(feature)).sum()
        (grad,) = torch.autograd.grad(probe, above, retain_graph=True)
        assert grad.any()


# ---- refused --------------------------------------------------------------


@pytest.mark.parametrize('entry', marked(REFUSED))
def test_refused(entry: Refused) -> None:
    backbone = build(entry)
    with pytest.raises(ValueError, match='MLFMNeck') as error:
        ToyModel(backbone, MLFMNeck())
    assert entry.cfg['type'] in str(error.value)
    assert entry.message in str(error.value)
