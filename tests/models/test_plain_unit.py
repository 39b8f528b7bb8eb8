"""LFMU and MLFMNeck against the naive formulation, forward and backward."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mlfm_mm import LFMU
from mlfm_mm.models import kernels
from tests.models.builders import classifier, shaken
from tests.models.plain_unit import PlainUnit, add_plain_memory
from tests.robustness.models import NARROW

SHAPE = (2, 8, 6, 10)
TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-5}
POOLING = dict(type='mmpretrain.GlobalAveragePooling')
LAYOUTS = (torch.contiguous_format, torch.channels_last)

Results = dict[str, Tensor]


@pytest.fixture(autouse=True, params=['auto', False], ids='kernels={}'.format)
def door(request: pytest.FixtureRequest, monkeypatch: Any) -> None:
    """Without kernels every number is the same."""
    if request.param is False:
        monkeypatch.setattr(kernels, 'choose', lambda *inputs: None)


def pair(
    dtype: torch.dtype = torch.float64, memory_channels: int = 6, **options
) -> tuple[nn.Module, nn.Module]:
    """A unit and its naive form, with the same weights."""
    torch.manual_seed(0)
    unit = shaken(LFMU(memory_channels, SHAPE[1], **options)).to(dtype)
    return unit, PlainUnit.like(unit)


def inputs(
    dtype: torch.dtype, memory_channels: int = 6, **form: Any
) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    n, channels, *size = SHAPE
    x, memory, image = (
        torch.randn(n, c, *size, generator=generator, dtype=dtype)
        .to(**form)
        .requires_grad_(needs)
        for c, needs in ((channels, True), (memory_channels, True), (3, False))
    )
    return x, memory, image


def weigh(x: Tensor, seed: int) -> Tensor:
    """A loss that no mean or symmetry cancels."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    return (x * weight).sum() + (x.square() * weight.abs()).sum() / 2


def run(unit: nn.Module, args: tuple[Tensor, Tensor, Tensor]) -> Results:
    """Outputs, all gradients, and the running statistics afterwards."""
    x_out, memory_out = unit(*args)
    results = dict(x_out=x_out.detach(), memory_out=memory_out.detach())
    # Before the backward pass: what follows may work in place.
    results = {k: v.clone() for k, v in results.items()}
    (weigh(x_out, 2) + weigh(memory_out, 3)).backward()
    for name, x in zip(('x', 'memory'), args, strict=False):
        results[f'grad of {name}'] = x.grad
    for name, parameter in unit.named_parameters():
        results[f'grad of {name}'] = parameter.grad
    results.update(unit.named_buffers())
    return results


def assert_alike(
    ours: Results, plain: Results, tolerance: float, exact: bool = True
) -> None:
    assert ours.keys() == plain.keys()
    for name, value in plain.items():
        assert ours[name] is not None, name
        if exact:
            assert ours[name].dtype == value.dtype, name
        scale = max(1.0, value.abs().max().item())
        error = (ours[name].double() - value.double()).abs().max().item()
        assert error <= tolerance * scale, f'{name}: off by {error}'


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('identity_init', [False, True])
@pytest.mark.parametrize('supplement', [False, True])
@pytest.mark.parametrize('update', ['add', 'concat'])
def test_unit(
    update: str,
    supplement: bool,
    identity_init: bool,
    training: bool,
    dtype: torch.dtype,
) -> None:
    ours, plain = pair(
        dtype,
        update=update,
        supplement=supplement,
        identity_init=identity_init,
    )
    ours.train(training), plain.train(training)
    assert_alike(
        run(ours, inputs(dtype)), run(plain, inputs(dtype)), TOLERANCE[dtype]
    )


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('update', ['add', 'concat'])
@pytest.mark.parametrize('training', [False, True])
def test_recomputed_unit(
    training: bool, update: str, layout: torch.memory_format
) -> None:
    ours, plain = pair(with_cp=True, update=update)
    ours.train(training), plain.train(training)
    dtype = torch.float64
    assert_alike(
        run(
            ours.to(memory_format=layout), inputs(dtype, memory_format=layout)
        ),
        run(plain, inputs(dtype)),
        TOLERANCE[dtype],
    )


@pytest.mark.parametrize('update', ['add', 'concat'])
@pytest.mark.parametrize('training', [False, True])
def test_channels_last(training: bool, update: str) -> None:
    layout = torch.channels_last
    ours, plain = pair(torch.float32, update=update)
    ours.to(memory_format=layout)
    ours.train(training), plain.train(training)
    args = inputs(torch.float32, memory_format=layout)
    x_out, memory_out = ours(*args)
    assert x_out.is_contiguous(memory_format=layout)
    assert memory_out.is_contiguous(memory_format=layout)
    ours.load_state_dict(plain.state_dict())
    assert_alike(
        run(ours, inputs(torch.float32, memory_format=layout)),
        run(plain, inputs(torch.float32)),
        TOLERANCE[torch.float32],
    )


@pytest.mark.parametrize('trunk', [torch.float32, torch.bfloat16])
@pytest.mark.parametrize('training', [False, True])
def test_autocast(training: bool, trunk: torch.dtype) -> None:
    ours, plain = pair(torch.float32)
    ours.train(training), plain.train(training)
    results = []
    for unit in (ours, plain):
        x, memory, image = inputs(torch.float32)
        x = x.detach().to(trunk).requires_grad_()
        with torch.autocast('cpu', dtype=torch.bfloat16):
            results.append(run(unit, (x, memory, image)))
    # Eight bits of precision, a few roundings, sums over 120 pixels.
    assert_alike(*results, tolerance=0.05, exact=False)
    assert results[0]['x_out'].dtype == results[0]['memory_out'].dtype == trunk


@pytest.mark.parametrize('shape', [(1, 8, 1, 1), (3, 8, 5, 7), (1, 8, 1, 9)])
def test_odd_shapes(shape: tuple[int, ...]) -> None:
    ours, plain = pair()
    ours.eval(), plain.eval()
    n, _, height, width = shape
    x = torch.randn(shape, dtype=torch.float64)
    memory = torch.randn(n, 6, height, width, dtype=torch.float64)
    image = torch.randn(n, 3, height, width, dtype=torch.float64)
    torch.testing.assert_close(
        ours(x, memory, image), plain(x, memory, image), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize('part', ['trunk', 'gates', 'output'])
def test_frozen_parts(part: str) -> None:
    # Whoever writes a backward pass by hand must ask what needs a gradient.
    results = []
    for unit in pair():
        x, memory, image = inputs(torch.float64)
        if part == 'trunk':
            x, memory = x.detach(), memory.detach()
        frozen = unit.output_gate if part == 'output' else unit.input_gate
        if part != 'trunk':
            frozen.requires_grad_(False)
        x_out, memory_out = unit.train()(x, memory, image)
        (weigh(x_out, 2) + weigh(memory_out, 3)).backward()
        results.append(
            {
                name: torch.zeros(1) if p.grad is None else p.grad
                for name, p in unit.named_parameters()
            }
            | {'x': x.grad if x.requires_grad else torch.zeros(1)}
        )
    assert_alike(*results, tolerance=1e-11)


def test_gradient_of_the_image() -> None:
    results = []
    for unit in pair():
        args = inputs(torch.float64)
        args[2].requires_grad_()
        run(unit.train(), args)
        results.append({'image': args[2].grad})
    assert_alike(*results, tolerance=1e-11)


@pytest.mark.parametrize('used', ['x_out', 'memory_out'])
def test_one_output_unused(used: str) -> None:
    # As the memory of the last unit is.
    results = []
    for unit in pair():
        args = inputs(torch.float64)
        outputs = dict(
            zip(('x_out', 'memory_out'), unit.train()(*args), strict=True)
        )
        weigh(outputs[used], 2).backward()
        results.append({'x': args[0].grad, 'memory': args[1].grad})
    assert_alike(*results, tolerance=1e-11)


def network_pair(**options: Any) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    ours = shaken(classifier(NARROW, 64, **options)).double()
    baseline = classifier(NARROW, 64, POOLING).double()
    return ours, add_plain_memory(baseline, ours)


def run_network(model: nn.Module, training: bool) -> Results:
    model.train(training)
    images = torch.randn(
        2, 3, 64, 64, dtype=torch.float64, generator=torch.manual_seed(1)
    )
    logits = model(images, mode='tensor')
    weigh(logits, 2).backward()
    results = {'logits': logits.detach()}
    for name, parameter in model.named_parameters():
        results[name.replace('memory.units', 'neck.units')] = parameter.grad
    for name, buffer in model.named_buffers():
        results[name.replace('memory.units', 'neck.units')] = buffer
    return results


@pytest.mark.parametrize(
    'options',
    [
        dict(),
        dict(update='concat'),
        dict(with_cp=True),
        dict(identity_init=True),
        dict(supplement=[True, False, True, False, False, True]),
    ],
    ids=str,
)
@pytest.mark.parametrize('training', [False, True])
def test_network(training: bool, options: dict) -> None:
    ours, plain = network_pair(**options)
    assert_alike(
        run_network(ours, training), run_network(plain, training), 1e-9
    )


def test_network_twice_and_copied() -> None:
    # A memory of the last pass, or of the original, must not show.
    ours, plain = network_pair()
    ours.eval(), plain.eval()
    images = torch.randn(2, 2, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        for copied in (False, True):
            if copied:
                ours, plain = copy.deepcopy(ours), copy.deepcopy(plain)
            for batch in images:
                torch.testing.assert_close(
                    ours(batch, mode='tensor'),
                    plain(batch, mode='tensor'),
                    rtol=1e-9,
                    atol=1e-9,
                )
