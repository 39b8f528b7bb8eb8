"""The one door of the kernels: where it opens, and that users can close it."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor

from mlfm_mm import LFMU, LowPass
from mlfm_mm.models import kernels
from mlfm_mm.models.kernels.inference import infer
from mlfm_mm.models.kernels.training import train
from tests.models.builders import classifier, shaken
from tests.robustness.models import NARROW, images

X = torch.randn(2, 8, 6, 6)
MEMORY = torch.randn(2, 6, 6, 6)
IMAGE = torch.randn(2, 3, 6, 6)


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What runs behind the door, call by call, if anything does."""
    seen: list[Any] = []
    choose = kernels.choose

    def watched(*inputs: Any) -> Any:
        seen.append(choose(*inputs))
        return seen[-1]

    monkeypatch.setattr(kernels, 'choose', watched)
    return seen


@pytest.mark.parametrize('training', [False, True])
def test_it_opens_on_a_cpu(training: bool, results: list[Any]) -> None:
    with torch.set_grad_enabled(training):
        LFMU(6, 8).train(training)(X, MEMORY, IMAGE)
    assert results == [train if training else infer]


@pytest.mark.parametrize(('values', 'form'), [(400, train), (401, None)])
def test_a_cpu_trains_small_maps_by_the_formulas(
    values: int,
    form: Any,
    results: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, unit = torch.randn(1, 8, 5, 10), LFMU(6, 8)
    monkeypatch.setattr(kernels, 'FEW_VALUES', values)
    memory, image = (torch.randn(1, c, 5, 10) for c in (6, 3))
    unit(x, memory, image)
    with torch.no_grad():
        unit.eval()(x, memory, image)
    assert results == [form, infer]


@pytest.mark.parametrize('sizes', [(4, 8), (8, 4)])
def test_small_and_large_maps_in_one_backward_pass(
    sizes: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a teacher's losses, some by the formulas and some by kernels."""
    monkeypatch.setattr(kernels, 'FEW_VALUES', 500)
    unit = shaken(LFMU(6, 8)).double()
    plain = deepcopy(unit)
    plain.kernels = False
    inputs = [
        [torch.randn(2, c, n, n, dtype=torch.float64) for c in (8, 6, 3)]
        for n in sizes
    ]
    for one in (unit, plain):
        sum(one(*some)[0].square().sum() for some in inputs).backward()
    for mine, theirs in zip(
        unit.parameters(), plain.parameters(), strict=True
    ):
        torch.testing.assert_close(mine.grad, theirs.grad)
    for mine, theirs in zip(unit.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs)


class Photograph(Tensor):
    """A tensor with a class of its own, as libraries of images have."""


@pytest.mark.parametrize('training', [False, True])
def test_it_stays_closed_for_classes_of_tensors(
    training: bool, results: list[Any]
) -> None:
    image = IMAGE.as_subclass(Photograph)
    unit = LFMU(6, 8).train(training)
    for given in (image, torch.nn.Parameter(IMAGE), IMAGE):
        with torch.set_grad_enabled(training):
            x, memory = unit(X, MEMORY, given)
            (x.sum() + memory.sum()).backward() if training else None
    opened = train if training else infer
    assert results == [None, opened, opened]


def test_it_stays_closed_on_other_devices(results: list[Any]) -> None:
    unit = LFMU(6, 8).to('meta')
    unit(*(t.to('meta') for t in (X, MEMORY, IMAGE)))
    assert results == [None]


def test_it_stays_closed_while_compiling(results: list[Any]) -> None:
    unit = LFMU(6, 8)
    torch.compile(unit, backend='eager')(X, MEMORY, IMAGE)
    assert results in ([], [None])  # perhaps traced, never run


def test_users_can_close_it(results: list[Any]) -> None:
    model = shaken(classifier(NARROW, 64, kernels=False))
    assert model(images()).isfinite().all()
    with torch.no_grad():
        model.eval()(images())
    assert set(results) == {None}


def test_an_unknown_choice() -> None:
    with pytest.raises(ValueError, match="kernels='fast' is unknown"):
        LFMU(6, 8, kernels='fast')
    with pytest.raises(ValueError, match="kernels='fast' is unknown"):
        classifier(NARROW, 64, kernels='fast')


def loss(x: Tensor, unit: LFMU) -> Tensor:
    out, memory = unit(x, MEMORY, IMAGE)
    return out.square().sum() + memory.square().sum()


def test_torch_func() -> None:
    unit = shaken(LFMU(6, 8, levels=1)).eval()
    grad = torch.func.grad(loss)(X, unit)
    x = X.clone().requires_grad_()
    loss(x, unit).backward()
    torch.testing.assert_close(grad, x.grad)
    value, slope = torch.func.jvp(lambda x: loss(x, unit), (X,), (X,))
    torch.testing.assert_close(value, loss(X, unit))
    torch.testing.assert_close(slope, (grad * X).sum())


def test_forward_mode() -> None:
    unit = shaken(LFMU(6, 8)).eval()
    forward = torch.autograd.forward_ad
    with forward.dual_level():
        out = loss(forward.make_dual(X, X), unit)
        slope = forward.unpack_dual(out).tangent
    expected = (torch.func.grad(loss)(X, unit) * X).sum()
    torch.testing.assert_close(slope, expected)


def test_torch_func_of_the_low_pass() -> None:
    low_pass = LowPass()
    grad = torch.func.grad(lambda x: low_pass(x).square().sum())(X)
    _, slope = torch.func.jvp(lambda x: low_pass(x).square().sum(), (X,), (X,))
    torch.testing.assert_close(slope, (grad * X).sum())
    each = torch.func.vmap(low_pass)(X[None])
    torch.testing.assert_close(each[0], low_pass(X))


def test_second_derivatives_with_the_option() -> None:
    unit = LFMU(2, 3, kernels=False, levels=1).double()
    inputs = [
        torch.randn(2, c, 4, 4, dtype=torch.float64, requires_grad=True)
        for c in (3, 2, 3)
    ]
    assert torch.autograd.gradgradcheck(
        lambda *t: unit(*t)[0], inputs, fast_mode=True
    )


@pytest.mark.parametrize('size', [6, 512])
@pytest.mark.parametrize('training', [False, True])
def test_a_unit_without_supplement_reads_no_image(
    training: bool, size: int
) -> None:
    unit = shaken(LFMU(2, 8, supplement=False)).train(training)
    x, memory = torch.randn(2, 8, size, size), torch.randn(2, 2, size, size)
    with torch.no_grad():
        found = unit(x, memory, None)
        unit.kernels = False
        expected = unit(x, memory, None)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('with_grad', [False, True])
def test_the_layout_of_the_trunk_is_kept(with_grad: bool) -> None:
    unit = shaken(LFMU(6, 8, identity_init=True)).eval()
    x = X.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    for given in (X, x, X.transpose(2, 3)):
        with torch.set_grad_enabled(with_grad):
            out, _ = unit(given, MEMORY, IMAGE)
        assert out.stride() == given.stride()


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
@pytest.mark.parametrize('wavelet', ['haar', 'db2'])
def test_bands(wavelet: str, dtype: torch.dtype) -> None:
    low_pass, image = LowPass(wavelet), torch.randn(2, 3, 7, 10, dtype=dtype)
    fast = kernels.choose_low_pass(low_pass, image)
    usual = wavelet == 'haar' and dtype == torch.float32
    assert (fast is not low_pass) == usual
    torch.testing.assert_close(fast(image), low_pass(image))


def test_bands_by_the_module_itself() -> None:
    low_pass, image = LowPass(), IMAGE.clone().requires_grad_()
    assert kernels.choose_low_pass(low_pass, image) is low_pass
    with torch.no_grad():
        assert kernels.choose_low_pass(low_pass, image) is not low_pass
        low_pass.register_forward_hook(lambda *_: None)
        assert kernels.choose_low_pass(low_pass, image) is low_pass


def test_a_low_pass_of_ones_own_is_called() -> None:
    class Own(LowPass):
        def forward(self, x: Tensor) -> Tensor:
            return 1 + super().forward(x)

    image = torch.rand(1, 3, 8, 8)
    own, usual = Own(), LowPass()
    assert kernels.choose_low_pass(own, image) is own
    assert kernels.choose_low_pass(usual, image) is not usual
