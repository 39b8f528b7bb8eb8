"""A gate forward and backward, by its maps and by its columns."""

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from mlfm_mm import LFMU
from mlfm_mm.models.kernels.gate import (
    ImageGate,
    MemoryGate,
    as_laid_out,
    choose_gate,
    parts_of,
)
from tests.models.builders import shaken


def open_gate(gate: nn.Module, source: Tensor) -> Tensor:
    return choose_gate(gate, source).apply(source, *parts_of(gate))


LAYOUTS = [torch.contiguous_format, torch.channels_last]


def gate_and_source(
    size: int, channels: int, dtype: torch.dtype = torch.float64
) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    unit = shaken(LFMU(3, channels)).to(dtype)
    gate = unit.input_gate if size == 1 else unit.supplement_gate
    # Far from zero, where sums of squares alone would be wrong.
    return gate, 30 + torch.randn(2, 3, 4, 5, dtype=dtype)


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('learns', [False, True])
@pytest.mark.parametrize('channels', [2, 64])
@pytest.mark.parametrize('size', [1, 3])
def test_equals_its_parts(
    size: int,
    channels: int,
    learns: bool,
    training: bool,
    layout: torch.memory_format,
) -> None:
    gate, source = gate_and_source(size, channels)
    gate.train(training)
    source = source.to(memory_format=layout).requires_grad_(learns)
    plain = training and layout is torch.contiguous_format
    form = ImageGate if plain and not learns else MemoryGate
    leaves = [*gate.parameters(), *([source] if learns else [])]
    weights = [torch.randn(2, channels, 4, 5).double() for _ in range(2)]

    def run(call: object) -> tuple[Tensor, tuple[Tensor, ...], list[Tensor]]:
        buffers = [b.clone() for b in gate.buffers()]
        out = call(source)
        loss = (out * weights[0] + out.square() * weights[1]).sum()
        grads = torch.autograd.grad(loss, leaves)
        found = [b.clone() for b in gate.buffers()]
        for buffer, before in zip(gate.buffers(), buffers, strict=True):
            buffer.copy_(before)
        return out, grads, found

    found = run(lambda source: open_gate(gate, source))
    assert isinstance(found[0].grad_fn, form._backward_cls)
    torch.testing.assert_close(found, run(gate), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize('learns', [False, True])
@pytest.mark.parametrize('size', [1, 3])
def test_gradients(size: int, learns: bool) -> None:
    gate, source = gate_and_source(size, 8)
    leaves = dict(gate.named_parameters())

    def call(source: Tensor, *values: Tensor) -> Tensor:
        norm = gate.norm
        form = MemoryGate if learns else ImageGate
        return form.apply(source, *values, norm)

    source.requires_grad_(learns)
    assert gradcheck(call, [source, *leaves.values()], fast_mode=True)


@pytest.mark.parametrize('contrast', [0, 1, 50])
@pytest.mark.parametrize('size', [1, 3])
def test_an_image_far_from_zero(size: int, contrast: float) -> None:
    """What rounding leaves is no more than PyTorch's own parts leave."""
    gate, source = gate_and_source(size, 16, torch.float32)
    source = 255 + contrast * (source - 30)
    exact = gate_and_source(size, 16)[0](source.double())
    errors = [
        (call(source).double() - exact).abs().max()
        for call in (lambda source: open_gate(gate, source), gate)
    ]
    # Without contrast a norm divides what rounding leaves by almost nothing.
    assert errors[0] < 2 * errors[1] + (1e-5 if contrast else 1e-2)


@pytest.mark.parametrize('noise', [1e-3, 0.05])
@pytest.mark.parametrize('size', [1, 3])
def test_a_gate_that_compares_colours_of_grey(size: int, noise: float) -> None:
    """What it sees is a millionth of what varies in the image."""
    torch.manual_seed(0)
    gate, _ = gate_and_source(size, 16, torch.float32)
    exact, _ = gate_and_source(size, 16)
    source = 70 * torch.randn(2, 1, 64, 64) + noise * torch.randn(2, 3, 64, 64)
    kernel = gate.conv.weight.detach()
    kernel -= kernel.mean(1, keepdim=True)
    exact.conv.weight.data = kernel.double()
    expected = exact(source.double())
    assert choose_gate(gate, source) is ImageGate
    ours, plain = (
        (found.double() - expected).abs().max()
        for found in (open_gate(gate, source), gate(source))
    )
    assert ours < 4 * plain + 1e-5
    assert ours < 0.1


def test_running_moments_that_change_before_the_backward_pass() -> None:
    gate, source = gate_and_source(1, 8)
    wanted = open_gate(gate.eval(), source).sum()
    wanted = torch.autograd.grad(wanted, [*gate.parameters()])
    late = open_gate(gate, source).sum()
    open_gate(gate.train(), source)
    found = torch.autograd.grad(late, [*gate.parameters()])
    assert all(map(torch.equal, found, wanted))


def test_a_map_takes_the_layout_of_another() -> None:
    low, x = torch.randn(2, 2, 3, 4, 5)
    assert as_laid_out(low, x) is low
    for given in (x.transpose(2, 3).contiguous().transpose(2, 3), x[..., ::1]):
        found = as_laid_out(low, given)
        assert torch.equal(found, low)
        assert found.stride() == given.stride()


def test_backward_under_another_autocast() -> None:
    # A part in single precision, within a loop that is not.
    torch.manual_seed(0)
    unit = shaken(LFMU(16, 64, levels=1))
    x, memory, band = (torch.randn(2, c, 64, 64) for c in (64, 16, 3))
    gradients = []
    for kernels in ('auto', False):
        unit.kernels = kernels
        unit.zero_grad()
        memory = memory.detach().requires_grad_()
        with torch.autocast('cpu'):
            with torch.autocast('cpu', enabled=False):
                out, kept = unit(x, memory, band)
            (out.square().sum() + kept.square().sum()).backward()
        gradients.append([memory.grad, *(p.grad for p in unit.parameters())])
    for ours, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, plain, rtol=2e-2, atol=2e-1)


@pytest.mark.parametrize('training', [True, False])
def test_autocast_leaves_double_precision_alone(training: bool) -> None:
    torch.manual_seed(0)
    band = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    unit = shaken(LFMU(3, 8)).double().train(training)
    x = torch.randn(2, 8, 16, 16, dtype=torch.float64)
    found = []
    for kernels in ('auto', False):
        unit.kernels = kernels
        with torch.no_grad(), torch.autocast('cpu'):
            found.append(unit(x, band, band)[0])
    torch.testing.assert_close(*found, rtol=1e-10, atol=1e-10)
