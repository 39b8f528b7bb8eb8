"""What a unit comes down to for the operators."""

import copy

import torch
from mmcv.cnn import fuse_conv_bn

from mlfm_mm.models.kernels.triton.arguments import (
    Form,
    form_of,
    gates_by,
    vectors_of,
)
from tests.models.kernels.triton.cases import DEVICE, make, maps


def test_forms() -> None:
    assert form_of(make()) == Form(True, False, False, 1)
    unit = make(identity_init=True, update='concat', levels=1).eval()
    assert form_of(unit) == Form(False, True, True, 2)
    unit.identity_init = False
    unit.fuse()
    # Whatever the mode of what is left of the norms.
    assert not form_of(unit.train()).measured
    assert form_of(make(levels=2)).step == 1
    assert form_of(make(levels=-1)).step == 1


def test_gates_as_they_are_and_folded() -> None:
    unit = make().eval()
    _, memory, image = maps(unit)
    folded = fuse_conv_bn(copy.deepcopy(unit))
    fused = copy.deepcopy(unit)
    fused.fuse()
    gates = gates_by(unit, memory, image)
    assert [k.shape[-1] for k in gates.kernels] == [1, 3]
    norm = unit.supplement_gate.bn
    assert gates.norms[4] is norm.running_mean and gates.eps[1] == norm.eps
    for other in (folded, fused):
        gates = gates_by(other, memory, image)
        assert gates.norms[4:7] == [None] * 3 and gates.norms[7] is not None
    assert vectors_of(fused.output_gate)[0][:2] == [None, None]


def test_given_moments_stand_for_the_running_ones() -> None:
    unit = make(supplement=False)
    moments = list(torch.rand(2, 8, device=DEVICE))
    gates = gates_by(unit, maps(unit)[1], None, moments)
    assert len(gates.sources) == 1
    assert gates.norms[:2] == moments
    assert gates.norms[2] is unit.input_gate.bn.weight


def test_products_follow_autocast() -> None:
    unit = make()
    _, memory, image = maps(unit)
    assert gates_by(unit, memory, image).dtype == torch.float32
    with torch.autocast(DEVICE, torch.bfloat16):
        assert gates_by(unit, memory, image).dtype == torch.bfloat16
