"""Which units the kernels run."""

from collections.abc import Callable

import pytest
import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mlfm_mm import LFMU
from mlfm_mm.models.kernels.checks import fits
from mlfm_mm.models.low_pass import ForgetGate

X = torch.randn(2, 8, 5, 7, dtype=torch.float64)
MEMORY = torch.randn(2, 6, 5, 7, dtype=torch.float64)
IMAGE = torch.randn(2, 3, 5, 7, dtype=torch.float64)


def listen(unit: LFMU) -> None:
    unit.input_gate.conv.register_forward_hook(lambda *_: None)


def freeze_one(unit: LFMU) -> None:
    unit.output_gate.eval()


def parametrize(unit: LFMU) -> None:
    nn.utils.parametrizations.weight_norm(unit.input_gate.conv)


def pad_otherwise(unit: LFMU) -> None:
    unit.supplement_gate.conv.padding_mode = 'circular'


def dilate(unit: LFMU) -> None:
    conv = unit.supplement_gate.conv
    conv.dilation = conv.padding = (2, 2)


def convolve_otherwise(unit: LFMU) -> None:
    conv = unit.input_gate.conv
    conv._conv_forward = lambda x, kernel, bias: 2 * x[:, :1] + kernel[:, 0]


def forget_mean(unit: LFMU) -> None:
    unit.output_gate.running_mean = None


def forget_count(unit: LFMU) -> None:
    unit.output_gate.num_batches_tracked = None


def leave_out_bias(unit: LFMU) -> None:
    unit.output_gate.bias = None


def group(unit: LFMU) -> None:
    conv = unit.input_gate.conv = nn.Conv2d(6, 8, 1, groups=2, bias=False)
    assert unit(X.float(), MEMORY.float(), IMAGE.float()) and conv.groups == 2


def normalize_last(unit: LFMU) -> None:
    unit.input_gate.order = ('conv', 'act', 'norm')


def pool(unit: LFMU) -> None:
    unit.forget_gate = nn.MaxPool2d(2)


def forget_otherwise(unit: LFMU) -> None:
    class Own(ForgetGate):
        def forward(self, memory: Tensor) -> Tensor:
            return memory / 2

    unit.forget_gate = Own()


CHANGES = [
    listen, freeze_one, parametrize, pad_otherwise, dilate,
    convolve_otherwise, forget_mean, forget_count, leave_out_bias, group,
    normalize_last, pool, forget_otherwise,
]  # fmt: skip


@pytest.mark.parametrize('change', CHANGES)
def test_unusual_parts_run_one_by_one(change: Callable) -> None:
    unit = LFMU(6, 8)
    assert fits(unit, X)
    change(unit)
    assert not fits(unit, X)


@pytest.mark.parametrize('change', [pad_otherwise, pool])
def test_unusual_parts_of_a_fused_unit_run_one_by_one(
    change: Callable,
) -> None:
    unit = LFMU(6, 8).eval()
    unit.fuse()
    with torch.no_grad():
        assert fits(unit, X)
        change(unit)
        assert not fits(unit, X)


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('change', [pad_otherwise, dilate])
def test_a_changed_convolution_counts(
    change: Callable, training: bool
) -> None:
    unit = LFMU(6, 8).double().train(training)
    plain = LFMU(6, 8, kernels=False).double().train(training)
    plain.load_state_dict(unit.state_dict())
    change(unit)
    change(plain)
    for with_grad in (True, False):
        with torch.set_grad_enabled(with_grad):
            found, expected = (u(X, MEMORY, IMAGE) for u in (unit, plain))
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match='cannot be fused'):
        unit.fuse()


@pytest.mark.parametrize(
    'options',
    [
        dict(norm_cfg=dict(type='GN', num_groups=2)),
        dict(norm_cfg=None),
        dict(act_cfg=dict(type='GELU')),
    ],
)
def test_other_norms_and_activations_run_one_by_one(options: dict) -> None:
    assert not fits(LFMU(6, 8, **options), X)


def test_a_synced_norm_is_a_batch_norm_where_it_is_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unit = LFMU(6, 8, norm_cfg=dict(type='SyncBN'))
    assert fits(unit, X)
    monkeypatch.setattr('torch.distributed.is_initialized', lambda: True)
    for size, alone in ((1, True), (2, False)):
        monkeypatch.setattr(
            'torch.distributed.get_world_size', lambda group, n=size: n
        )
        assert fits(unit.train(), X) == alone
        assert fits(unit.eval(), X)


def test_a_hook_on_a_part_is_called() -> None:
    unit, calls = LFMU(6, 8).double(), []
    unit.input_gate.conv.register_forward_hook(lambda *_: calls.append(1))
    unit(X, MEMORY, IMAGE)
    assert calls == [1]


@pytest.mark.parametrize('with_grad', [False, True])
def test_a_hook_on_all_modules_is_called_for_each_part(
    with_grad: bool,
) -> None:
    unit, calls = LFMU(6, 8).double().eval(), []
    handle = nn.modules.module.register_module_forward_hook(
        lambda module, *_: calls.append(module)
    )
    try:
        with torch.set_grad_enabled(with_grad):
            unit(X, MEMORY, IMAGE)
    finally:
        handle.remove()
    parts = {m for m in unit.modules() if not isinstance(m, BaseModule)}
    assert parts <= set(calls)


@pytest.mark.parametrize('with_grad', [False, True])
@pytest.mark.parametrize(
    'part', ['input_gate', 'supplement_gate.conv', 'output_gate']
)
def test_a_forward_function_of_its_own_is_called(
    part: str, with_grad: bool
) -> None:
    # As offloading and activation checkpointing by name give parts one.
    unit, calls = LFMU(6, 8).double().eval(), []
    module = unit.get_submodule(part)
    forward = module.forward

    def counted(x: Tensor) -> Tensor:
        calls.append(part)
        return forward(x)

    module.forward = counted
    with torch.set_grad_enabled(with_grad):
        unit(X, MEMORY, IMAGE)
    assert calls == [part]
