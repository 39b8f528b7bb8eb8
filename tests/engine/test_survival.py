from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hooks import (
    CheckpointHook,
    EarlyStoppingHook,
    IterTimerHook,
)

from mlfm_mm.engine.hooks import ExactResumeHook
from mlfm_mm.engine.runner import build_runner
from mlfm_mm.engine.survival import OUR_HOOKS, protect
from tests.engine.hooks.toy import toy_config


def test_what_a_config_says_is_kept() -> None:
    mine = dict(type='CheckpointHook', interval=5, max_keep_ckpts=2)
    cfg = Config(dict(default_hooks=dict(checkpoint=mine)))
    protect(cfg)
    assert cfg.default_hooks.checkpoint == dict(
        mine, type='mlfm_mm.SafeCheckpointHook'
    )


@pytest.mark.parametrize('kind', [CheckpointHook, 'mmengine.CheckpointHook'])
def test_the_hosts_hook_by_its_class(kind: object) -> None:
    mine = dict(type=kind, interval=5)
    cfg = Config(dict(default_hooks=dict(checkpoint=mine)))
    protect(cfg)
    ours = dict(type='mlfm_mm.SafeCheckpointHook', interval=5)
    assert cfg.default_hooks.checkpoint == ours


@pytest.mark.parametrize('kind', [EarlyStoppingHook, 'EarlyStoppingHook'])
def test_early_stopping(kind: object) -> None:
    mine = dict(type=kind, monitor='loss', priority='LOWEST')
    hooks = dict(a=mine, timer=IterTimerHook(), checkpoint=CheckpointHook())
    cfg = Config(dict(default_hooks=hooks, custom_hooks=[mine]))
    protect(cfg)
    ours = dict(type='mlfm_mm.ResumableEarlyStoppingHook', monitor='loss')
    assert cfg.default_hooks.a == ours and cfg.custom_hooks == [ours]


def test_other_hooks_stay() -> None:
    mine = dict(checkpoint=dict(type='my.Hook'), timer=None)
    cfg = Config(dict(default_hooks=mine))
    protect(cfg)
    assert cfg.default_hooks.checkpoint == dict(type='my.Hook')
    assert cfg.default_hooks.timer is None


def test_they_can_be_removed() -> None:
    cfg = Config(dict(default_hooks=dict.fromkeys(OUR_HOOKS)))
    protect(cfg)
    assert cfg.default_hooks == dict.fromkeys(OUR_HOOKS)


@pytest.mark.parametrize('kind', ['Runner', 'FlexibleRunner'])
def test_a_run_without_them(tmp_path: Path, kind: str) -> None:
    cfg = toy_config(tmp_path)
    cfg.default_hooks = dict.fromkeys([*OUR_HOOKS, 'timer', 'visualization'])
    protect(cfg)
    cfg.experiment_name = str(tmp_path)
    cfg.update(runner_type=kind, filename=None, env_cfg={}, launcher='none')
    runner = build_runner(cfg)
    runner.train()
    ours = [h for h in runner.hooks if type(h).__module__.startswith('mlfm')]
    assert not ours and not list(tmp_path.glob('*.pth'))
    # What is written removes them, too.
    assert not any(runner.cfg.default_hooks.values())


@pytest.mark.parametrize(
    'kind', ['mlfm_mm.ExactResumeHook', 'ExactResumeHook', ExactResumeHook]
)
def test_none_comes_twice(kind: object) -> None:
    mine = dict(type=kind)
    cfg = Config(dict(custom_hooks=[mine]))
    protect(cfg)
    assert 'exact_resume' not in cfg.default_hooks
    assert cfg.custom_hooks == [mine]


def test_signals() -> None:
    cfg = Config(dict())
    protect(cfg, ['SIGUSR1'])
    assert cfg.default_hooks.preemption.signals == ['SIGUSR1']


def test_an_option_needs_no_type() -> None:
    mine = dict(finite_guard=dict(policy='skip'), preemption=None)
    cfg = Config(dict(default_hooks=mine))
    protect(cfg)
    ours = dict(OUR_HOOKS['finite_guard'], policy='skip')
    assert cfg.default_hooks.finite_guard == ours
    assert cfg.default_hooks.preemption is None
