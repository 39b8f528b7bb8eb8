from pathlib import Path
from unittest.mock import Mock

import pytest
from mmengine.config import Config
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

from mlfm_mm.engine import UsageError
from mlfm_mm.engine.hooks import WholeWeightsHook
from mlfm_mm.engine.hooks.whole_weights import check_optimizer
from tests.engine.hooks.test_exact_resume import exact_config, stop
from tests.engine.hooks.toy import run


class Stub:
    """What the hook asks of a Runner."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.cfg = Config()
        self.experiment_name = 'stub'
        self._resume = False


def test_other_weights_are_refused() -> None:
    hook = HOOKS.build(dict(type='mlfm_mm.WholeWeightsHook'))
    runner = Stub(nn.Linear(1, 1))
    own = dict(state_dict=runner.model.state_dict())
    hook.after_load_checkpoint(runner, own)
    other = dict(state_dict=nn.Linear(1, 1, bias=False).state_dict())
    with pytest.raises(UsageError, match=r'^stub: .*bias is missing'):
        hook.after_load_checkpoint(runner, other)
    WholeWeightsHook(True).after_load_checkpoint(runner, other)


def test_what_a_run_begins_with_may_be_partial() -> None:
    hook, runner = WholeWeightsHook(only_resume=True), Stub(nn.Linear(1, 1))
    plain = dict(state_dict=nn.Linear(1, 1, bias=False).state_dict())
    hook.after_load_checkpoint(runner, plain)
    runner._resume = True
    # Training has no --allow-partial to advise.
    with pytest.raises(UsageError, match=r'bias is missing.*load_from=') as e:
        hook.after_load_checkpoint(runner, plain)
    assert '--allow-partial' not in str(e.value)


def test_another_kind_of_optimizer(tmp_path: Path) -> None:
    cfg = exact_config(tmp_path)
    stop(Config(cfg.to_dict()), 6)
    cfg.resume = True
    cfg.custom_hooks.append(dict(type='mlfm_mm.WholeWeightsHook'))
    cfg.optim_wrapper.optimizer = dict(type='AdamW', lr=0.1)
    with pytest.raises(UsageError, match=r'AdamW cannot go on .*lacks betas'):
        run(cfg)


def test_a_test_of_a_resumed_run_has_no_optimizer(tmp_path: Path) -> None:
    """A host's own test.py, given the config that a resumed run wrote."""
    cfg = exact_config(tmp_path)
    stop(Config(cfg.to_dict()), 6)
    cfg.update(resume=True, load_from=str(tmp_path / 'epoch_1.pth'))
    cfg.custom_hooks.append(dict(type='mlfm_mm.WholeWeightsHook'))
    cfg.update(
        val_dataloader=cfg.train_dataloader,
        val_cfg=dict(),
        val_evaluator=dict(type='DumpResults', out_file_path='no.pkl'),
    )
    runner = Runner.from_cfg(cfg)
    runner.load_or_resume()
    assert runner._has_loaded


@pytest.mark.parametrize(
    ('first', 'then', 'lacks'),
    [
        (dict(type='RMSprop', momentum=0.9), dict(type='SGD'), 'dampening'),
        (dict(type='SGD'), dict(type='Adagrad'), 'lr_decay'),
    ],
)
def test_kinds_that_share_settings(
    first: dict, then: dict, lacks: str
) -> None:
    def wrapper(kind: dict) -> OptimWrapper:
        layer = nn.Linear(1, 1)
        settings = dict(optimizer=dict(kind, lr=0.1))
        return build_optim_wrapper(layer, settings)

    runner = Mock(optim_wrapper=wrapper(then))
    with pytest.raises(UsageError, match=f'lacks .*{lacks}'):
        check_optimizer(runner, dict(optimizer=wrapper(first).state_dict()))


def test_a_config_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    """MMEngine parses it when it resumes, and a config is code."""
    mark = tmp_path / 'been_here'
    text = f'import os\nos.mkdir({str(mark)!r})'
    meta = dict(config=text)
    checkpoint = dict(state_dict={}, meta=meta)
    WholeWeightsHook().after_load_checkpoint(Stub(nn.Identity()), checkpoint)
    assert not mark.exists() and not meta
