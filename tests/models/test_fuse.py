"""Units whose norms are folded for good."""

import copy

import pytest
import torch
from mmcv.cnn import fuse_conv_bn
from mmengine.model import convert_sync_batchnorm
from torch import Tensor, nn

from mlfm_mm import LFMU, MLFMNeck
from mlfm_mm.models.fuse import Affine
from mlfm_mm.models.kernels.checks import fits
from tests.models.builders import UNIT_OPTIONS, shaken
from tests.models.plain_unit import PlainUnit, low_low
from tests.robustness.models import images, narrow

GIVEN = tuple(
    torch.randn(3, channels, 6, 10, dtype=torch.float64)
    for channels in (8, 6, 3)
)


def make(**options) -> LFMU:
    return shaken(LFMU(6, 8, **options)).double().eval()


def close(found: object, expected: object) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize('with_grad', [False, True])
@pytest.mark.parametrize('options', UNIT_OPTIONS)
def test_equals_the_plain_unit(options: dict, with_grad: bool) -> None:
    unit = make(**options)
    expected = PlainUnit.like(unit)(*GIVEN)
    unit.fuse()
    assert not any(isinstance(m, nn.BatchNorm2d) for m in unit.modules())
    with torch.set_grad_enabled(with_grad):
        assert fits(unit, GIVEN[0]) is not with_grad
        close(unit(*GIVEN), expected)
        unit.forget_gate.levels = 1
        close(unit(*GIVEN), (expected[0], low_low(expected[1])))


def test_goes_by_the_running_moments_in_training() -> None:
    unit = make()
    expected = unit(*GIVEN)
    unit.fuse()
    unit.train()
    close(unit(*GIVEN), expected)
    with torch.no_grad():
        close(unit(*GIVEN), expected)


def test_gradients_reach_what_is_in_front() -> None:
    unit = make()
    twin = copy.deepcopy(unit)
    unit.fuse()
    grads = []
    for each in (unit, PlainUnit.like(twin)):
        given = [t.clone().requires_grad_() for t in GIVEN]
        x, memory = each(*given)
        (x.square().sum() + memory.square().sum()).backward()
        grads.append([t.grad for t in given])
    close(grads[0], grads[1])


def test_again_changes_nothing() -> None:
    unit = make()
    unit.fuse()
    parts = list(unit.modules())
    unit.fuse()
    assert all(a is b for a, b in zip(parts, unit.modules(), strict=True))


def test_after_the_gates_have_been_folded() -> None:
    unit = make()
    expected = unit(*GIVEN)
    folded = fuse_conv_bn(unit)
    folded.fuse()
    close(folded(*GIVEN), expected)


def test_synchronized_norms() -> None:
    unit = make()
    expected = unit(*GIVEN)
    unit = convert_sync_batchnorm(unit)
    unit.fuse()
    close(unit(*GIVEN), expected)


def test_weights_pass_to_another_fused_unit() -> None:
    unit, other = make(), LFMU(6, 8).double().eval()
    unit.fuse()
    other.fuse()
    other.load_state_dict(unit.state_dict())
    close(other(*GIVEN), unit(*GIVEN))


@pytest.mark.parametrize(
    'options',
    [
        dict(norm_cfg=dict(type='GN', num_groups=2)),
        dict(norm_cfg=dict(type='BN', affine=False)),
        dict(norm_cfg=None),
        dict(act_cfg=dict(type='GELU')),
    ],
)
def test_other_parts_are_refused(options: dict) -> None:
    unit = LFMU(6, 8, **options).eval()
    with pytest.raises(ValueError, match='fuse_conv_bn'):
        unit.fuse()
    assert not any(isinstance(m, Affine) for m in unit.modules())


def test_a_hook_would_be_lost() -> None:
    unit = make()
    unit.input_gate.conv.register_forward_hook(lambda *_: None)
    with pytest.raises(ValueError, match='Remove the hooks'):
        unit.fuse()


def test_a_hook_on_a_folded_part_is_called() -> None:
    unit, calls = make(), []
    unit.fuse()
    expected = unit(*GIVEN)
    unit.supplement_gate.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        close(unit(*GIVEN), expected)
    assert calls == [1]


@pytest.mark.parametrize('first', ['trunk', 'units'])
def test_a_whole_network(first: str) -> None:
    model, x = shaken(narrow()).eval(), images(2, 3, 64, 64)
    with torch.no_grad():
        expected = model(x)
        if first == 'units':
            model.neck.fuse()
        model = fuse_conv_bn(model)
        model.neck.fuse()
        assert not any(isinstance(m, nn.BatchNorm2d) for m in model.modules())
        for each in (model, copy.deepcopy(model)):
            found: Tensor = each(x)
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_neck_without_a_backbone() -> None:
    with pytest.raises(RuntimeError, match='serves no backbone'):
        MLFMNeck().fuse()


def test_a_unit_that_cannot_be_fused_leaves_the_others_as_they_were() -> None:
    model = narrow().eval()
    model.neck.units[3].input_gate.register_forward_hook(lambda *_: None)
    with pytest.raises(ValueError, match='Remove the hooks'):
        model.neck.fuse()
    assert not any(isinstance(m, Affine) for m in model.modules())


def test_norms_that_compute_something_else() -> None:
    class Halved(nn.BatchNorm2d):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) / 2

    unit = make()
    unit.output_gate = Halved(8).double().eval()
    assert not fits(unit, GIVEN[0])
    with pytest.raises(ValueError, match='cannot be fused'):
        unit.fuse()
