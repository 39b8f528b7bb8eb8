"""A unit overwrites no map that others can see, in inference."""

import pytest
import torch
from torch import Tensor, nn

from mlfm_mm import LFMU, MLFMNeck
from tests.models.builders import ToyModel, classifier, shaken
from tests.robustness.models import images, narrow


class Held:
    """A hook that keeps what a module returns, and how it looked."""

    def __init__(self) -> None:
        self.kept: list[tuple[Tensor, Tensor]] = []

    def __call__(self, module: nn.Module, inputs: tuple, x: Tensor) -> None:
        self.kept.append((x, x.clone()))

    def assert_unchanged(self) -> None:
        for x, before in self.kept:
            assert torch.equal(x, before)


def test_a_hook_on_a_unit_sees_what_it_was_given() -> None:
    model, x, kept = shaken(narrow()).eval(), images(), []

    def before(unit: LFMU, given: tuple) -> None:
        kept.append((given[0], given[0].clone()))

    def after(unit: LFMU, given: tuple, out: tuple) -> None:
        kept.append((given[0], kept[-1][1]))

    for unit in model.neck.units:
        unit.register_forward_pre_hook(before)
        unit.register_forward_hook(after)
    with torch.no_grad():
        model(x)
    assert len(kept) == 12
    for now, then in kept:
        assert torch.equal(now, then)


def test_what_a_hook_has_seen_stays_as_it_was() -> None:
    model, x, held = shaken(narrow()).eval(), images(), Held()
    with torch.no_grad():
        expected = model(x)
        # In front of the neck's own hook, as if it had been there before.
        model.backbone.relu.register_forward_hook(held, prepend=True)
        for name in ('maxpool', 'layer1', 'layer2', 'layer3', 'layer4'):
            part = getattr(model.backbone, name)
            part.register_forward_hook(held, prepend=True)
        assert torch.equal(model(x), expected)
    assert len(held.kept) == 6
    held.assert_unchanged()


def test_what_a_hook_on_all_modules_has_seen_stays_as_it_was() -> None:
    model, x, held = shaken(narrow()).eval(), images(), Held()

    def keep(module: nn.Module, inputs: tuple, out: object) -> None:
        if module in (model.backbone.relu, model.backbone.maxpool):
            held(module, inputs, out)

    handle = nn.modules.module.register_module_forward_hook(keep)
    try:
        with torch.no_grad():
            model(x)
    finally:
        handle.remove()
    assert len(held.kept) == 2
    held.assert_unchanged()


class Sloppy(nn.Module):
    """A trunk that reads the input of its activation after it, too."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2, 1)
        self.act = nn.ReLU(inplace=True)
        self.last = nn.Sequential(nn.Conv2d(4, 4, 3, 2, 1), nn.ReLU())

    def forward(self, image: Tensor) -> tuple[Tensor]:
        x = self.conv(image)
        y = self.act(x)
        return (self.last(y + x),)


def test_a_trunk_that_reads_its_input_again() -> None:
    model = ToyModel(Sloppy(), MLFMNeck(taps=['act', 'last'])).eval()
    x = images(2, 3, 16, 16)
    expected = model(x)  # with gradients nothing is overwritten
    with torch.no_grad():
        torch.testing.assert_close(model(x), expected)


@pytest.mark.parametrize('depth', [18, 50])
def test_inference_equals_a_pass_with_gradients(depth: int) -> None:
    channels = 512 if depth == 18 else 2048
    backbone = dict(type='mmpretrain.ResNet', depth=depth)
    model = shaken(classifier(backbone, channels)).double().eval()
    x = images(2, 3, 64, 64).double()
    expected = model(x)
    with torch.inference_mode():
        found = model(x)
    torch.testing.assert_close(found, expected.detach())


def test_a_band_that_a_hook_has_seen_stays_as_it_was() -> None:
    model, x, held = shaken(narrow()).eval(), images(), Held()
    model.neck.low_pass.register_forward_hook(held)
    with torch.no_grad():
        model(x)
    assert len(held.kept) == 5
    held.assert_unchanged()


@pytest.mark.parametrize('inplace', [False, True])
def test_an_image_that_the_backbone_changes_first(inplace: bool) -> None:
    def build() -> ToyModel:
        torch.manual_seed(0)
        backbone = nn.Sequential(
            nn.ReLU(inplace=inplace),
            nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU()),
            nn.Sequential(nn.Conv2d(4, 4, 3, 2, 1), nn.ReLU()),
        )
        return ToyModel(backbone, MLFMNeck(taps=['1', '2'])).eval()

    x = images(2, 3, 16, 16)
    with torch.no_grad():
        expected = build()(x.clone())
        inplace = not inplace
        torch.testing.assert_close(build()(x.clone()), expected)
