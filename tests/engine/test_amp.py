import pytest
import torch
from mmengine.config import Config
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import nn

from mlfm_mm.engine import CPUAmpOptimWrapper, UsageError, amp
from mlfm_mm.engine.amp import adapt_amp, enable_amp


class OwnWrapper(OptimWrapper):
    """A user's."""


def config(**wrapper: object) -> Config:
    return Config(dict(optim_wrapper=wrapper, default_scope='mmpretrain'))


def test_the_loss_scale_is_kept() -> None:
    cfg = config(type='AmpOptimWrapper', loss_scale=512.0)
    enable_amp(cfg)
    assert cfg.optim_wrapper.loss_scale == 512.0


@pytest.mark.parametrize(
    'kind', ['OptimWrapper', 'mmengine.OptimWrapper', OptimWrapper]
)
def test_classes_and_prefixed_names(kind: object) -> None:
    cfg = config(type=kind)
    enable_amp(cfg)
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'


def test_a_wrapper_without_type() -> None:
    cfg = config(optimizer=dict(type='SGD', lr=0.1))
    enable_amp(cfg)
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'


@pytest.mark.parametrize('kind', ['ApexOptimWrapper', 'NoWrapper', OwnWrapper])
def test_what_it_cannot_replace(kind: object) -> None:
    with pytest.raises(UsageError, match='--amp cannot be used'):
        enable_amp(config(type=kind))


@pytest.mark.parametrize(
    'kind', ['AmpOptimWrapper', 'mmengine.AmpOptimWrapper', AmpOptimWrapper]
)
def test_without_a_gpu(kind: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amp, 'get_device', lambda: 'cpu')
    cfg = config(type=kind, loss_scale='dynamic', clip_grad=dict(max_norm=1))
    adapt_amp(cfg)
    wrapper = cfg.optim_wrapper
    assert wrapper.type.endswith(CPUAmpOptimWrapper.__name__)
    assert wrapper.clip_grad.max_norm == 1 and 'loss_scale' not in wrapper


def test_a_host_without_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy, which mmpose's heads use in training, does not know it."""
    monkeypatch.setattr(amp, 'get_device', lambda: 'cpu')
    cfg = config(type='AmpOptimWrapper', loss_scale='dynamic')
    cfg.default_scope = 'mmpose'
    adapt_amp(cfg)
    assert cfg.optim_wrapper == dict(type='OptimWrapper')


def test_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amp, 'get_device', lambda: 'cuda')
    cfg = config(type='AmpOptimWrapper')
    adapt_amp(cfg)
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'


def test_gradients_are_those_of_bfloat16() -> None:
    torch.manual_seed(0)
    x, model = torch.randn(8, 16), nn.Linear(16, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    wrapper = CPUAmpOptimWrapper(optimizer=optimizer)
    with wrapper.optim_context(model):
        out = model(x)
    exact = x.double() @ model.weight.double().T + model.bias.double()
    error = (out.double() - exact).abs().max()
    # bfloat16 has 8 bits, and the weights stay in float32.
    assert 1e-5 < error < 0.05 and model.weight.dtype == torch.float32


def test_several_optimizers_are_refused() -> None:
    several = dict(constructor='TwoOptimizers', one=dict(), two=dict())
    with pytest.raises(UsageError, match='TwoOptimizers'):
        enable_amp(Config(dict(optim_wrapper=several)))


def test_the_compiler_follows_the_context() -> None:
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    wrapper = CPUAmpOptimWrapper(optimizer=optimizer)

    def step(x: torch.Tensor) -> torch.Tensor:
        with wrapper.optim_context(model):
            return model(x)

    x = torch.ones(1, 2)
    found = torch.compile(step, backend='eager')(x)
    assert found.dtype == torch.bfloat16 and torch.equal(found, step(x))
