from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import HOOKS
from torch import nn

from mlfm_mm.engine import UsageError
from mlfm_mm.engine.hooks import WholeWeightsHook
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


def test_a_config_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    """MMEngine parses it when it resumes, and a config is code."""
    mark = tmp_path / 'been_here'
    text = f'import os\nos.mkdir({str(mark)!r})'
    meta = dict(config=text)
    checkpoint = dict(state_dict={}, meta=meta)
    WholeWeightsHook().after_load_checkpoint(Stub(nn.Identity()), checkpoint)
    assert not mark.exists() and not meta
