"""A unit by Triton's kernels, against plain formulas in float64."""

import copy
import itertools
from collections.abc import Callable

import pytest
import torch
from mmcv.cnn import fuse_conv_bn
from torch.autograd import gradcheck

from mlfm_mm import LFMU
from tests.models.builders import (
    UNIT_OPTIONS,
    ToyBackbone,
    classifier,
    shaken,
)
from tests.models.kernels.triton.cases import (
    DEVICE,
    TOLERANCE,
    Calls,
    Result,
    assert_close,
    batch_norms,
    compare,
    graph_of,
    make,
    maps,
)
from tests.models.plain_unit import PlainUnit, low_low

LAYOUTS = [torch.contiguous_format, torch.channels_last]
SIZES = [(7, 6), (4, 5), (1, 9)]
# Sizes and layouts in turns, so that each meets each form of a unit once.
FORMS = [
    (options, levels, training, SIZES[i % 3], LAYOUTS[i % 2])
    for i, (options, levels, training) in enumerate(
        itertools.product(UNIT_OPTIONS, (0, 1), (True, False))
    )
]


@pytest.mark.parametrize(
    ('options', 'levels', 'training', 'size', 'layout'), FORMS
)
def test_equals_the_formulas_forward_and_backward(
    options: dict,
    levels: int,
    training: bool,
    size: tuple,
    layout: torch.memory_format,
) -> None:
    unit = make(levels=levels, **options).train(training)
    found = compare(unit, maps(unit, size, layout), 1e-4)
    for x in found.outputs:
        assert x.is_contiguous(memory_format=layout)


@pytest.mark.parametrize(
    ('options', 'levels', 'training', 'size', 'layout'),
    [form for form in FORMS if not form[2]],
)
def test_inference_is_one_launch(
    options: dict,
    levels: int,
    training: bool,
    size: tuple,
    layout: torch.memory_format,
) -> None:
    unit = make(levels=levels, **options).eval()
    given = [x.detach() for x in maps(unit, size, layout)]
    kept = [x.clone() for x in given]
    twin = PlainUnit.like(unit).double()
    with torch.no_grad():
        x, memory = twin(*(x.double() for x in given))
        for _ in range(levels):
            memory = low_low(memory)
        expected = dict(x=x, memory=memory)
        folded = fuse_conv_bn(copy.deepcopy(unit))
        fused = copy.deepcopy(unit)
        fused.fuse()
        for form in (unit, folded, fused):
            with Calls() as seen:
                x, memory = form(*given)
            assert seen.names == ['open_gates']
            assert_close(dict(x=x, memory=memory), expected, 1e-4)
    torch.testing.assert_close(given, kept, rtol=0, atol=0)


def test_launches_of_a_training_step() -> None:
    unit = make(levels=1)
    with Calls() as seen:
        outputs = unit(*maps(unit))
        torch.autograd.backward(outputs, [torch.ones_like(x) for x in outputs])
    assert seen.names == [
        'measure_gates', 'finish_moments', 'open_gates', 'finish_moments',
        'normalize', 'sum_norm', 'close_trunk', 'close_gates',
    ]  # fmt: skip


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('training', [True, False])
def test_half_precision(dtype: torch.dtype, training: bool) -> None:
    unit = make(levels=1).to(dtype).train(training)
    found = compare(unit, maps(unit), TOLERANCE[dtype])
    assert all(x.dtype == dtype for x in found.outputs)


@pytest.mark.parametrize('training', [True, False])
def test_autocast(training: bool) -> None:
    # The feature comes from a convolution in bfloat16, the image does not.
    unit = make(levels=1).train(training)
    x, memory, image = maps(unit)
    inputs = [x.bfloat16(), memory.bfloat16(), image]
    with torch.autocast(DEVICE, torch.bfloat16):
        found = compare(unit, inputs, TOLERANCE[torch.bfloat16])
    assert all(x.dtype == torch.bfloat16 for x in found.outputs)
    assert found.inputs[2].grad.dtype == torch.float32


# Past a block of channels, of columns and of pixels.
@pytest.mark.parametrize(('memory', 'channels'), [(3, 70), (70, 20)])
def test_more_than_a_tile(memory: int, channels: int) -> None:
    unit = make(memory, channels, levels=1)
    compare(unit, maps(unit, (5, 8)), 1e-4)


@pytest.mark.skipif(DEVICE == 'cuda', reason='a GPU runs no double precision')
@pytest.mark.parametrize(
    ('options', 'training'),
    [(UNIT_OPTIONS[0], True), (UNIT_OPTIONS[4], False)],
)
def test_gradients_by_differences(options: dict, training: bool) -> None:
    unit = make(4, 5, levels=1, **options).double().train(training)
    inputs = maps(unit, (3, 4))
    assert graph_of(unit(*inputs)[0]) == 'FusedUnitBackward'
    assert gradcheck(lambda *maps: unit(*maps), inputs, fast_mode=True)


@pytest.mark.parametrize('lacking', ['with_x', 'with_memory'])
@pytest.mark.parametrize('options', UNIT_OPTIONS[:1] + UNIT_OPTIONS[-1:])
def test_one_gradient_only(lacking: str, options: dict) -> None:
    unit = make(levels=1, **options)
    inputs = maps(unit)
    found = compare(unit, inputs, 1e-4, **{lacking: False})
    assert found.inputs[0].grad is not None


def test_no_gradient_where_none_is_wanted() -> None:
    unit = make()
    unit.supplement_gate.conv.weight.requires_grad_(False)
    inputs = maps(unit)
    inputs[2].requires_grad_(False)
    out, memory = unit(*inputs)
    (out.sum() + memory.sum()).backward()
    assert unit.supplement_gate.conv.weight.grad is None
    assert inputs[2].grad is None
    assert unit.supplement_gate.bn.weight.grad is not None


def test_maps_that_are_parts_of_others() -> None:
    unit = make(levels=1)
    inputs = [x[..., 1:-1, 2:] for x in maps(unit, (9, 8))]
    compare(unit, inputs, 1e-4)
    # The gradient of a sum is one number, expanded.
    out, memory = unit(*inputs)
    (out.sum() + memory.sum()).backward()


@pytest.mark.parametrize('momentum', [0.3, None])
def test_running_moments(momentum: float | None) -> None:
    unit = make()
    for norm in batch_norms(unit):
        norm.momentum = momentum
    for _ in range(2):  # compare() copies what was recorded before
        compare(unit, maps(unit), 1e-4)
    assert all(norm.num_batches_tracked == 2 for norm in batch_norms(unit))


@pytest.mark.parametrize('mode', [torch.no_grad, torch.inference_mode])
def test_norms_measure_without_gradients(mode: Callable) -> None:
    unit, inputs = make(levels=1), [x.detach() for x in maps(make())]
    expected = Result(copy.deepcopy(unit), inputs)
    with mode():
        found = unit(*inputs)
        torch.testing.assert_close(found, expected.outputs)
        for ours, theirs in zip(
            unit.buffers(), expected.unit.buffers(), strict=True
        ):
            assert torch.equal(ours, theirs)
        assert unit.eval()(*inputs)[0].shape == found[0].shape


def test_large_means_do_not_cancel() -> None:
    unit = make(levels=1)
    x, memory, image = (x.detach() for x in maps(unit))
    inputs = [x + 300, memory + 300, image + 300]
    found, twin = Result(unit, inputs), PlainUnit.like(make()).double()
    expected = Result(twin, [x.double() for x in inputs], levels=1)
    for ours, theirs in zip(found.outputs, expected.outputs, strict=True):
        error = (ours - theirs).abs().max() / theirs.abs().max()
        assert error < 2e-3


def test_recomputation_records_once_and_changes_nothing() -> None:
    unit, inputs = make(levels=1), []
    recomputed = make(levels=1, with_cp=True)
    inputs = maps(unit)
    results = [Result(u, inputs) for u in (unit, recomputed)]
    grads = [torch.randn_like(x) for x in results[0].outputs]
    first, second = (result.backward(grads).named() for result in results)
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
    assert recomputed.output_gate.num_batches_tracked == 1


def test_the_same_each_time() -> None:
    unit = make(levels=1)
    inputs = maps(unit, (12, 12))
    grads = None
    seen = []
    for _ in range(2):
        result = Result(copy.deepcopy(unit), inputs)
        grads = grads or [torch.randn_like(x) for x in result.outputs]
        seen.append(result.backward(grads).named())
    for name, tensor in seen[0].items():
        assert torch.equal(tensor, seen[1][name]), name


def test_other_forget_gates() -> None:
    pytest.importorskip('pywt')
    for options in (
        dict(levels=2),
        dict(levels=-1),
        dict(levels=1, wavelet='db2'),
    ):
        unit = make(**options)
        plain = LFMU(6, 8, kernels=False, **options).to(DEVICE)
        plain.load_state_dict(unit.state_dict())
        inputs = maps(unit)
        results = [Result(u, inputs) for u in (unit, plain)]
        grads = [torch.randn_like(x) for x in results[1].outputs]
        ours, theirs = (r.backward(grads).named() for r in results)
        assert_close(ours, theirs, 1e-4)
        with torch.no_grad():
            unit.eval(), plain.eval()
            for x, y in zip(unit(*inputs), plain(*inputs), strict=True):
                torch.testing.assert_close(x, y, rtol=1e-4, atol=1e-4)


def test_several_gradients_at_once_are_refused() -> None:
    inputs = maps(unit := make())
    outputs = unit(*inputs)
    kinds = [torch.stack([x.detach()] * 3) for x in outputs]
    with pytest.raises(RuntimeError, match='kernels=False'):
        torch.autograd.grad(outputs, inputs, kinds, is_grads_batched=True)


def test_a_second_derivative_is_refused() -> None:
    unit = make()
    inputs = maps(unit)
    out, _ = unit(*inputs)
    with pytest.raises(RuntimeError, match='kernels=False'):
        torch.autograd.grad(out.sum(), inputs[0], create_graph=True)


def test_saved_for_the_backward_pass() -> None:
    unit = make(levels=1)
    inputs = maps(unit, (8, 8))
    seen: dict[int, int] = {}

    def pack(x: torch.Tensor) -> torch.Tensor:
        seen[x.data_ptr()] = x.numel()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        out, _ = unit(*inputs)
    assert graph_of(out) == 'FusedUnitBackward'
    large = sorted(n for n in seen.values() if n > 8 * 27)
    assert large == sorted(x.numel() for x in inputs)


def test_a_network() -> None:
    model = shaken(classifier(ToyBackbone(), 8, kernels='triton')).to(DEVICE)
    plain = shaken(classifier(ToyBackbone(), 8, kernels=False)).to(DEVICE)
    plain.load_state_dict(model.state_dict())
    x = torch.randn(2, 3, 24, 20, device=DEVICE)
    for training in (True, False):
        outputs, grads = [], []
        for network in (model, plain):
            network.train(training)
            network.zero_grad()
            outputs.append(network(x)[0])
            outputs[-1].square().sum().backward()
            named = network.named_parameters()
            grads.append({name: p.grad for name, p in named})
        torch.testing.assert_close(*outputs, rtol=1e-3, atol=1e-3)
        assert_close(*grads, 1e-2)
