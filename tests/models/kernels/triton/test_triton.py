"""When Triton's kernels run, and what is said where they cannot."""

import importlib.util

import numpy as np
import pytest
import torch
from torch import nn

from mlfm_mm import LFMU
from mlfm_mm.models.kernels import check_triton, triton
from tests.models.builders import classifier
from tests.models.kernels.triton.cases import DEVICE, graph_of, make, maps

KERNELS = 'FusedUnitBackward'


def test_asked_for_without_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    monkeypatch.setattr(triton, 'find_spec', lambda name: None)
    for build in (lambda **k: LFMU(6, 8, **k), lambda **k: classifier(**k)):
        with pytest.raises(ImportError, match='which is not installed'):
            build(kernels='triton')


def test_asked_for_with_an_old_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    check_triton()
    monkeypatch.setattr('triton.__version__', '3.1.0')
    with pytest.raises(ImportError, match=r'3\.6 or newer, which is 3\.1\.0'):
        check_triton()


def test_they_are_what_a_gpu_runs_by_default() -> None:
    unit = make()
    assert graph_of(unit(*maps(unit))[0]) == KERNELS
    unit.kernels = 'auto'
    by_default = graph_of(unit(*maps(unit))[0]) == KERNELS
    assert by_default == (DEVICE == 'cuda')
    unit.kernels = False
    assert graph_of(unit(*maps(unit))[0]) != KERNELS


def test_of_which_devices_they_are_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def asked(name: str = 'cuda') -> bool:
        return triton.is_default.__wrapped__(torch.device(name))

    capability = 'torch.cuda.get_device_capability'
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    monkeypatch.setattr(capability, lambda device: (8, 0))
    monkeypatch.setattr('torch.version.hip', None)
    assert asked() and not asked('cpu') and not asked('meta')
    with monkeypatch.context() as old:
        old.setattr(capability, lambda device: (7, 5))
        assert not asked()
    with monkeypatch.context() as amd:
        amd.setattr('torch.version.hip', '7.0')
        assert not asked()
    with monkeypatch.context() as old:
        old.setattr('triton.__version__', '3.5.1')
        assert not asked()
    with monkeypatch.context() as without:
        without.setattr(triton, 'find_spec', lambda name: None)
        assert not asked()
    # As on a machine without a GPU that imitates the tensors of one.
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    assert not asked()


@pytest.mark.skipif(DEVICE == 'cuda', reason='of a machine without a GPU')
def test_on_a_cpu_it_is_as_auto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton, 'is_played', lambda: False)
    unit = make()
    assert graph_of(unit(*maps(unit))[0]) == 'NormFunctionBackward'


@pytest.mark.parametrize(
    'options',
    [
        dict(norm_cfg=dict(type='GN', num_groups=2)),
        dict(norm_cfg=dict(type='BN', track_running_stats=False)),
        dict(norm_cfg=None),
        dict(act_cfg=dict(type='GELU')),
    ],
)
def test_other_units_run_by_the_formulas(options: dict) -> None:
    unit = LFMU(6, 8, kernels='triton', **options).to(DEVICE)
    plain = LFMU(6, 8, kernels=False, **options).to(DEVICE)
    plain.load_state_dict(unit.state_dict())
    inputs = maps(unit)
    found = unit(*inputs)
    assert graph_of(found[0]) != KERNELS
    torch.testing.assert_close(found, plain(*inputs))


@pytest.mark.parametrize('channels', [256, 257])
def test_memories_of_many_channels_run_by_the_formulas(channels: int) -> None:
    unit = make(channels, 8).eval()
    found = graph_of(unit(*maps(unit, (2, 2)))[0])
    assert (found == KERNELS) == (channels <= triton.MOST_CHANNELS)


@pytest.mark.parametrize(
    ('memory', 'image', 'x'),
    [
        ((2, 6, 3, 3), (2, 3, 6, 6), (2, 8, 6, 6)),
        ((1, 6, 6, 6), (2, 3, 6, 6), (2, 8, 6, 6)),
        ((2, 5, 6, 6), (2, 3, 6, 6), (2, 8, 6, 6)),
        ((2, 6, 6, 6), (2, 1, 6, 6), (2, 8, 6, 6)),
        ((2, 6, 6, 6), (2, 4, 6, 6), (2, 8, 6, 6)),
        ((2, 6, 6, 6), (2, 3, 6, 6), (2, 9, 6, 6)),
        ((0, 6, 6, 6), (0, 3, 6, 6), (0, 8, 6, 6)),
    ],
)
def test_maps_of_other_sizes_are_left_to_the_formulas(
    memory: tuple, image: tuple, x: tuple
) -> None:
    """They broadcast, or say what is wrong; kernels would read elsewhere."""
    given = [torch.randn(size, device=DEVICE) for size in (x, memory, image)]
    usual = [torch.randn(2, c, 6, 6, device=DEVICE) for c in (8, 6, 3)]
    for fused in (False, True):
        unit = make().eval()
        if fused:
            unit.fuse()
        assert triton.choose(unit, *usual) is not None
        assert triton.choose(unit, *given) is None


def test_gates_of_other_sizes_are_left_to_the_formulas() -> None:
    unit = make()
    unit.supplement_gate.conv = nn.Conv2d(3, 8, 1, bias=False).to(DEVICE)
    assert triton.choose(unit, *maps(unit)) is None


def test_maps_far_apart_are_left_to_the_formulas() -> None:
    """Kernels count the values between two of one image by 32 bits."""
    strides = (16, 2**29, 4, 1)
    far = torch.empty_strided((2, 8, 4, 4), strides, device='meta')
    assert triton._span(far) > 2**31 > triton._span(far[:, :4])


def test_weights_that_are_no_parameters() -> None:
    """As FSDP leaves them, which holds all of a unit in one tensor."""
    unit = make()
    for module in unit.modules():
        for name, value in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            setattr(module, name, value.detach())
    assert not list(unit.parameters())
    assert triton.choose(unit, *maps(unit)) is not None


def test_nan_passes_the_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    """As through a ReLU; a GPU's own maximum drops it, unlike NumPy's."""
    if DEVICE == 'cpu':
        monkeypatch.setattr(
            'triton.runtime.interpreter.InterpreterBuilder.create_maxnumf',
            lambda self, a, b: self.binary_op(a, b, np.fmax),
        )
    unit = make()
    nn.init.constant_(unit.input_gate.conv.weight, float('nan'))
    for training in (True, False):
        unit.train(training)
        with torch.set_grad_enabled(training):
            x, memory = unit(*maps(unit))
        assert x.isnan().all() and memory.isnan().all()


def test_a_watched_part_is_called() -> None:
    unit, calls = make(), []
    unit.input_gate.conv.register_forward_hook(lambda *_: calls.append(1))
    assert graph_of(unit(*maps(unit))[0]) != KERNELS
    assert calls == [1]


def test_compilers_see_the_formulas() -> None:
    unit = make()
    inputs = maps(unit)
    expected = make()(*inputs)
    seen = []

    def backend(graph: torch.fx.GraphModule, _: list) -> torch.fx.GraphModule:
        seen.extend(str(node.target) for node in graph.graph.nodes)
        return graph

    found = torch.compile(unit, backend=backend, fullgraph=True)(*inputs)
    assert seen and not any('mlfm_mm' in name for name in seen)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_torch_func() -> None:
    unit = make().eval()
    x, memory, image = (t.detach() for t in maps(unit))

    def loss(x: torch.Tensor) -> torch.Tensor:
        return unit(x, memory, image)[0].square().sum()

    found = torch.func.grad(loss)(x)
    x.requires_grad_()
    (expected,) = torch.autograd.grad(loss(x), x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
