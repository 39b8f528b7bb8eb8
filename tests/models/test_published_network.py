"""The network of the paper: its formulas, and the published parameters."""

from collections.abc import Iterator
from functools import partial

import pytest
import torch
from mmpretrain.models.backbones.resnet import BasicBlock, ResNet
from torch import nn

from mlfm_mm import MLFMNeck
from tests.models.builders import classifier, plain_classifier, shaken
from tests.models.plain_unit import add_plain_memory
from tests.models.reference import low_low


class ResNet10(ResNet):
    arch_settings = {10: (BasicBlock, (1, 1, 1, 1))}


def mobilenet(width: float) -> dict:
    return dict(type='mmpretrain.MobileNetV2', widen_factor=width)


@pytest.mark.parametrize('wavelet', ['haar', 'db2'])
@pytest.mark.parametrize('update', ['add', 'concat'])
@pytest.mark.parametrize('size', [(64, 64), (75, 97)])
def test_resnet18_equals_the_formulas(
    update: str, wavelet: str, size: tuple[int, int]
) -> None:
    model = classifier(update=update, wavelet=wavelet).double()
    shaken(model).eval()
    image = torch.randn(2, 3, *size, dtype=torch.float64)
    halve = partial(low_low, wavelet=wavelet)
    plain = add_plain_memory(plain_classifier().double(), model, halve)
    # The paper's wiring: no forgetting from pooling to stage 1.
    assert plain.memory.levels == [1, 2, 2, 3, 4, 5]
    with torch.no_grad():
        torch.testing.assert_close(
            model(image), plain(image), rtol=1e-10, atol=1e-10
        )


def test_resnet18_in_training_equals_the_formulas() -> None:
    model = classifier().double().train()
    image = torch.randn(4, 3, 64, 64, dtype=torch.float64)
    plain = add_plain_memory(plain_classifier().double(), model, low_low)
    with torch.no_grad():
        torch.testing.assert_close(
            model(image), plain(image), rtol=1e-8, atol=1e-8
        )


@pytest.mark.parametrize(
    ('backbone', 'channels', 'plain', 'mlfm'),
    [
        ('ResNet10', 512, 4.957, 5.176),
        ('ResNet18', 512, 11.228, 11.431),
        ('ResNet34', 512, 21.336, 21.650),
        ('MobileNetV2-0.1', 1280, 0.2038, 0.2058),
        ('MobileNetV2-0.35', 1280, 0.5242, 0.5328),
        ('MobileNetV2-0.5', 1280, 0.8158, 0.8295),
        ('MobileNetV2-0.75', 1280, 1.4835, 1.5089),
        ('MobileNetV2-1.0', 1280, 2.3520, 2.3914),
    ],
)
def test_published_parameters(
    backbone: str, channels: int, plain: float, mlfm: float
) -> None:
    network = {
        'ResNet10': lambda: ResNet10(depth=10),
        'ResNet18': lambda: dict(type='mmpretrain.ResNet', depth=18),
        'ResNet34': lambda: dict(type='mmpretrain.ResNet', depth=34),
        'MobileNetV2-0.1': lambda: dict(type='mlfm_mm.ThinMobileNetV2'),
    }.get(backbone, lambda: mobilenet(float(backbone.split('-')[1])))()
    # The published ResNet-18 lacks its last supplement gate.
    lacks = backbone == 'ResNet18'
    options = dict(supplement=[True] * 5 + [False]) if lacks else {}
    model = classifier(network, channels, **options)

    digits = 3 if plain > 4 else 4
    head = 100 * (channels + 1)
    baseline = count(model.backbone) + head
    assert round(baseline / 1e6, digits) == plain
    # The published gates carry biases in front of their norms, which the
    # norms cancel and ours do without.
    biases = sum(gate.conv.out_channels for gate in gates(model.neck))
    assert round((baseline + count(model.neck) + biases) / 1e6, digits) == mlfm


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def gates(neck: MLFMNeck) -> Iterator[nn.Module]:
    for unit in neck.units:
        yield unit.input_gate
        if unit.supplement_gate is not None:
            yield unit.supplement_gate
