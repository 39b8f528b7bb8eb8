"""Each control against the same units fed by hand, in float64."""

import copy
from collections.abc import Callable

import pytest
import torch
from mmpretrain.models import ImageClassifier
from torch import Tensor, nn

import mlfm_mm.analysis.controls  # noqa: F401
from mlfm_mm import LFMU, LowPass
from mlfm_mm.registry import MODELS

CHANNELS = (4, 6, 6)
STRIDES = (2, 2, 1)


@MODELS.register_module(force=True)
class ThreeStages(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        ins = (3, *CHANNELS[:-1])
        for i, (a, b, s) in enumerate(
            zip(ins, CHANNELS, STRIDES, strict=True)
        ):
            conv = nn.Conv2d(a, b, 3, stride=s, padding=1)
            self.add_module(f'stage{i}', nn.Sequential(conv, nn.ReLU()))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.stage2(self.stage1(self.stage0(x))),)


def build(kind: str, **options: bool) -> ImageClassifier:
    torch.manual_seed(0)
    taps = [f'stage{i}' for i in range(3)]
    model = ImageClassifier(
        backbone=dict(type='mlfm_mm.ThreeStages'),
        neck=dict(type=f'mlfm_mm.{kind}', taps=taps, **options),
        head=dict(
            type='mmpretrain.LinearClsHead', num_classes=2, in_channels=6
        ),
    )
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -1, 1)
    return model.double()


def bare(unit: LFMU) -> LFMU:
    """Copy a unit without its hook, whose memory is not low-passed yet."""
    unit = copy.deepcopy(unit)
    unit._forward_pre_hooks.clear()
    unit.kernels, unit.forget_gate = False, nn.Identity()
    return unit


def by_hand(
    model: ImageClassifier,
    image: Tensor,
    give: Callable[[int, Tensor, Tensor], tuple[Tensor, Tensor]],
) -> Tensor:
    """Run trunk and units one after the other, with what ``give`` gives."""
    low_pass, x, bands = LowPass().double(), image, [image]
    for _ in range(2):
        bands.append(low_pass(bands[-1]))
    memory = bands[1]
    for i, band in enumerate((bands[1], bands[2], bands[2])):
        x = getattr(model.backbone, f'stage{i}')[0](x).relu()
        if i == 1:
            memory = low_pass(memory)
        unit = bare(model.neck.units[i])
        x, memory = unit(x, *give(i, memory, band))
    return x.mean((2, 3))


def zero(x: Tensor) -> Tensor:
    return x * 0


EXPECTED = {
    'OtherImageNeck': lambda i, m, b: (
        (m if i else b[[3, 0, 1, 2]]),
        b[[3, 0, 1, 2]],
    ),
    'NoImageNeck': lambda i, m, b: (m if i else zero(b), zero(b)),
    'NoMemoryNeck': lambda i, m, b: (zero(m) if i else m, b),
    'NormsOnlyNeck': lambda i, m, b: (zero(m), zero(b)),
}


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('control', EXPECTED)
def test_units_are_given_what_the_control_says(
    control: str, training: bool
) -> None:
    model = build(control).train(training)
    image = torch.rand(4, 3, 16, 16, dtype=torch.float64)
    expected = by_hand(model, image, EXPECTED[control])
    (found,) = model.extract_feat(image)
    torch.testing.assert_close(found, expected)
    plain = build('MLFMNeck').train(training)
    assert not torch.allclose(plain.extract_feat(image)[0], expected)


def test_nothing_leaves_the_norms() -> None:
    model = build('NormsOnlyNeck').train()
    image = torch.rand(4, 3, 16, 16, dtype=torch.float64)
    x = image
    for i, unit in enumerate(model.neck.units):
        x = getattr(model.backbone, f'stage{i}')[0](x).relu()
        x = copy.deepcopy(unit.output_gate)(x)
    (found,) = model.extract_feat(image)
    torch.testing.assert_close(found, x.mean((2, 3)))


def test_even_scale_is_average_pooling() -> None:
    model = build('EvenScaleNeck').train()
    image = torch.rand(4, 3, 16, 16, dtype=torch.float64)
    pool = nn.AvgPool2d(2)
    x, memory, band = image, pool(image), pool(image)
    for i, unit in enumerate(model.neck.units):
        x = getattr(model.backbone, f'stage{i}')[0](x).relu()
        if i == 1:
            memory, band = pool(memory), pool(band)
        x, memory = bare(unit)(x, memory, band)
    (found,) = model.extract_feat(image)
    torch.testing.assert_close(found, x.mean((2, 3)))


def test_a_copy_gives_by_itself() -> None:
    model = build('NoImageNeck').eval()
    other = copy.deepcopy(model)
    image = torch.rand(2, 3, 16, 16, dtype=torch.float64)
    (expected,) = model.extract_feat(image)
    for unit in model.neck.units:
        unit._forward_pre_hooks.clear()
    (found,) = other.extract_feat(image)
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(model.extract_feat(image)[0], expected)


def test_units_without_a_supplement_gate_are_refused() -> None:
    with pytest.raises(ValueError, match='supplement=True'):
        build('NoImageNeck', supplement=False)
