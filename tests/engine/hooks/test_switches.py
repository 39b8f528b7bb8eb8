"""Hooks that change the recipe at one epoch, as mmpose's and mmyolo's do."""

from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from mlfm_mm.engine.hooks.switches import replay
from tests.engine.hooks.test_exact_resume import exact_config, last, stop
from tests.engine.hooks.toy import run, same


@HOOKS.register_module()
class ToyModeSwitchHook(Hook):
    """Drop out less, and build the data loader anew."""

    __module__ = 'mmpose.engine.hooks'

    def before_train_epoch(self, runner: Runner) -> None:
        if runner.epoch == 1:
            settings = deepcopy(runner.cfg.train_dataloader)
            runner.train_loop.dataloader = Runner.build_dataloader(settings)
            runner.model.drop.p = 0.1


@pytest.mark.parametrize('stop_at', [3, 5, 7, 10])
def test_a_switch_that_a_resumed_run_has_missed(
    stop_at: int, tmp_path: Path
) -> None:
    """It is stopped before, early and late in, and after that epoch."""
    whole, parts = (exact_config(tmp_path / n) for n in ('whole', 'parts'))
    for cfg in (whole, parts):
        cfg.custom_hooks.append(dict(type='ToyModeSwitchHook'))
        cfg.default_hooks.checkpoint.update(by_epoch=False, interval=1)
    run(whole)
    stop(Config(parts.to_dict()), stop_at)
    parts.resume = True
    assert run(parts).model.drop.p == 0.1
    assert same(last(whole), last(parts))


def test_a_hook_of_a_user_is_left_alone() -> None:
    class ModeSwitchHook(Hook):
        def before_train_epoch(self, runner: Runner) -> None:
            raise AssertionError

    loop = SimpleNamespace(_epoch=3)
    replay(SimpleNamespace(train_loop=loop, epoch=3, hooks=[ModeSwitchHook()]))
    assert loop._epoch == 3
