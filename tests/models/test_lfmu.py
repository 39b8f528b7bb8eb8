"""The options of an LFMU; test_plain_unit holds it to the formulas."""

import pytest
import torch
from mmengine.model import PretrainedInit
from torch import nn
from torch.autograd import gradcheck

from mlfm_mm import LFMU
from tests.models.builders import shaken

SHAPE = (2, 8, 5, 7)


def inputs(memory_channels: int = 6, dtype: torch.dtype = torch.float64):
    torch.manual_seed(0)
    return (
        torch.randn(SHAPE, dtype=dtype),
        torch.randn(2, memory_channels, 5, 7, dtype=dtype),
        torch.randn(2, 3, 5, 7, dtype=dtype),
    )


def test_gradient() -> None:
    unit = shaken(LFMU(6, 8).double()).eval()
    args = tuple(x.requires_grad_() for x in inputs())
    assert gradcheck(unit, args)


@pytest.mark.parametrize(('update', 'channels'), [('add', 8), ('concat', 16)])
def test_memory_channels_out(update: str, channels: int) -> None:
    unit = LFMU(6, 8, update=update).double()
    assert unit.memory_channels_out == channels
    assert unit(*inputs())[1].shape == (2, channels, 5, 7)


def test_identity_init_leaves_the_trunk_alone() -> None:
    unit = LFMU(6, 8, identity_init=True).double()
    unit.init_weights()
    for training in (False, True):
        x, memory, image = inputs()
        x_out, _ = unit.train(training)(x, memory, image)
        assert torch.equal(x_out, x)


def test_identity_init_wakes_up() -> None:
    # A zero in front of the ReLUs would get no gradient, ever.
    unit = LFMU(6, 8, identity_init=True).double().train()
    optimizer = torch.optim.SGD(unit.parameters(), lr=0.1)
    target = torch.randn(SHAPE, dtype=torch.float64)
    for _ in range(2):
        optimizer.zero_grad()
        (unit(*inputs())[0] - target).square().mean().backward()
        optimizer.step()
    for name, parameter in unit.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize('in_a_list', [False, True])
@pytest.mark.parametrize('kind', ['Pretrained', PretrainedInit])
def test_identity_init_respects_a_pretrained_unit(
    kind, in_a_list, tmp_path
) -> None:
    trained = shaken(LFMU(6, 8, identity_init=True))
    torch.save(trained.state_dict(), tmp_path / 'unit.pth')
    init_cfg = dict(type=kind, checkpoint=str(tmp_path / 'unit.pth'))
    if in_a_list:
        init_cfg = [dict(type='Kaiming', layer='Conv2d'), init_cfg]
    unit = LFMU(6, 8, identity_init=True, init_cfg=init_cfg)
    unit.init_weights()
    assert torch.equal(unit.output_gate.weight, trained.output_gate.weight)


@pytest.mark.parametrize(
    'norm_cfg', [dict(type='GN', num_groups=4), dict(type='IN'), None]
)
@pytest.mark.parametrize('act_cfg', [dict(type='GELU'), None])
def test_any_norm_and_activation(norm_cfg, act_cfg) -> None:
    unit = LFMU(6, 8, norm_cfg=norm_cfg, act_cfg=act_cfg).double()
    x_out, memory = unit(*inputs())
    assert x_out.shape == memory.shape == SHAPE


def test_without_norm_memory_and_feature_are_apart() -> None:
    unit = LFMU(6, 8, norm_cfg=None).double()
    with torch.no_grad():
        x_out, memory = unit(*inputs())
        before = memory.clone()
        x_out.relu_()
    assert torch.equal(memory, before)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_the_trunk_keeps_its_precision(dtype: torch.dtype) -> None:
    unit = LFMU(6, 8)
    with torch.autocast('cpu', dtype=dtype):
        for trunk in (torch.float32, dtype):
            x, memory, image = inputs(dtype=torch.float32)
            x_out, memory = unit(x.to(trunk), memory, image)
            assert x_out.dtype == memory.dtype == trunk


class SingleBN(nn.BatchNorm2d):
    """Answers in single precision, as GN under autocast on a GPU does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).float()


def test_a_norm_in_single_precision_promotes_nothing() -> None:
    unit = LFMU(6, 8, norm_cfg=dict(type=SingleBN))
    seen = []
    unit.output_gate.register_forward_pre_hook(
        lambda _, args: seen.append(args[0].dtype)
    )
    with torch.autocast('cpu', torch.bfloat16):
        x_out, memory = unit(*inputs(dtype=torch.bfloat16))
    assert {x_out.dtype, memory.dtype, *seen} == {torch.bfloat16}


def test_bad_options() -> None:
    with pytest.raises(ValueError, match=r"update='mul'.*add.*concat"):
        LFMU(6, 8, update='mul')
    with pytest.raises(TypeError, match=r"norm_cfg='BN'.*dict\(type='BN'\)"):
        LFMU(6, 8, norm_cfg='BN')
    with pytest.raises(ValueError, match='affine=True'):
        LFMU(6, 8, identity_init=True, norm_cfg=dict(type='IN'))
    with pytest.raises(TypeError, match=r"act_cfg='ReLU'.*dict\(type='ReLU'"):
        LFMU(6, 8, act_cfg='ReLU')
    # As a command line gives them.
    for name in ('supplement', 'identity_init', 'with_cp'):
        with pytest.raises(ValueError, match=f"{name}='no' must be True or"):
            LFMU(6, 8, **{name: 'no'})
