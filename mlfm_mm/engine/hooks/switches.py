"""Hooks of hosts that change the recipe at one epoch of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

# Whose hooks act where an epoch equals theirs, not from it on: a run that is
# resumed later would go on by its first recipe. mmdet's own need no help.
HOSTS = ('mmpose', 'mmyolo')
SWITCH = 'ModeSwitchHook'


def replay(runner: Runner) -> None:
    """Let such hooks do again what they did before a run was interrupted.

    Args:
        runner (Runner): The runner, resumed or new.
    """
    loop: Any = runner.train_loop
    now = runner.epoch
    try:
        for hook in filter(_is_switch, runner.hooks):
            for loop._epoch in range(now):
                hook.before_train_epoch(runner)
    finally:
        loop._epoch = now


def _is_switch(hook: Hook) -> bool:
    return any(
        kind.__module__.partition('.')[0] in HOSTS
        and kind.__name__.endswith(SWITCH)
        for kind in type(hook).__mro__
    )


class AfterSwitches(Hook):
    """Calls back when all other hooks have begun an epoch.

    One of them may have replaced the data loader.

    Args:
        callback (Callable): It is given the runner.
    """

    priority = 'LOWEST'

    def __init__(self, callback: Callable[[Runner], None]) -> None:
        self.callback = callback

    def before_train_epoch(self, runner: Runner) -> None:
        """Call back."""
        self.callback(runner)
