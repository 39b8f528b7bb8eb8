from typing import Any

import pytest
from mmengine.config import Config
from mmengine.registry import RUNNERS, DefaultScope
from mmengine.runner import Runner

from mlfm_mm.engine import build_runner, runner


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list:
    """What is done to a config before its runner is built."""
    steps: list = []
    for name in ('adapt_amp', 'adapt_launcher'):
        monkeypatch.setattr(runner, name, lambda cfg, n=name: steps.append(n))
    monkeypatch.setattr(Runner, 'from_cfg', lambda cfg: ('default', cfg))
    return steps


def test_the_default_runner(seen: list) -> None:
    cfg = Config(dict(model=dict()))
    assert build_runner(cfg) == ('default', cfg)
    assert seen == ['adapt_amp', 'adapt_launcher']


def test_a_runner_of_the_config(
    seen: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(cfg: Config) -> Any:
        return cfg.runner_type, DefaultScope.get_current_instance().scope_name

    monkeypatch.setattr(RUNNERS, 'build', build)
    cfg = Config(dict(runner_type='Own', default_scope='mmpretrain'))
    assert build_runner(cfg) == ('Own', 'mmpretrain')
