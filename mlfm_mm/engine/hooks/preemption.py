"""Leave in good order when the machine is taken away."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from ...registry import HOOKS
from ..distributed import leave
from .safe_checkpoint import SafeCheckpointHook

# "Temporary failure, try again": what sysexits.h has for it.
EXIT_CODE = 75
# Seconds in which a signal comes again from those who pass it on, such as
# torchrun beside Slurm.
PASSED_ON = 5.0


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Save and leave at a signal, so that the same command goes on later.

    The iteration at work is finished, in all processes the same; then a
    checkpoint is written and the process ends with a code of its own, by
    which a job script knows that the run is to be resumed. In a validation
    that follows a checkpoint, the process ends at once. So it does at
    another signal, seconds later. It needs :class:`SafeCheckpointHook`.

    Args:
        signals (list[str]): The signals. Slurm sends SIGTERM before it
            takes a machine away, and what ``--signal`` of its own says.
            Defaults to ``['SIGTERM']``.
        exit_code (int): The code. Defaults to 75.

    Raises:
        ValueError: If a signal is not known.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.PreemptionHook')]
    """

    # After all that belongs to the iteration.
    priority = 'LOWEST'

    def __init__(
        self,
        signals: tuple[str, ...] | list[str] = ('SIGTERM',),
        exit_code: int = EXIT_CODE,
    ) -> None:
        unknown = [name for name in signals if name not in _known()]
        if unknown:
            raise ValueError(
                f'signals={list(signals)!r}: {unknown[0]} is no signal; give '
                'names such as SIGTERM or SIGUSR1'
            )
        self.signals = [signal.Signals[name] for name in signals]
        self.exit_code = exit_code
        self.received = 0
        self.since = 0.0
        self.replaced: dict[signal.Signals, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Listen.

        Args:
            runner (Runner): The runner.
        """
        savers = [h for h in runner.hooks if isinstance(h, SafeCheckpointHook)]
        if not savers or not _is_main_thread():
            return
        (self.saver,) = savers
        loops = (runner.train_loop, runner.val_loop)
        for loader in [loop.dataloader for loop in loops if loop is not None]:
            keep_apart(loader)
        self.replaced = {
            number: signal.signal(number, self._note)
            for number in self.signals
        }

    def after_train(self, runner: Runner) -> None:
        """Listen no more."""
        self._restore()

    def after_train_iter(
        self, runner: Runner, *args: object, **kwargs: object
    ) -> None:
        """Save and leave, if any process was told to."""
        if not self.replaced:
            return
        told = torch.tensor(float(self.received), device=get_device())
        all_reduce(told, 'max')
        if not told or not _between_updates(runner):
            return
        saved = self.saver.save_now(runner)
        self._leave(runner, int(told), runner.iter + 1, saved)

    def after_val_iter(
        self, runner: Runner, *args: object, **kwargs: object
    ) -> None:
        """Leave, if what is validated has been saved; it is resumed first.

        Else the validation goes on, to save after it.
        """
        if self.received and self.saver.last_iter == runner.iter:
            self._leave(runner, self.received, runner.iter, True)

    def _leave(
        self, runner: Runner, number: int, done: int, saved: bool
    ) -> None:
        """End the process with the code of its own."""
        self._restore()
        runner.logger.warning(
            f'{signal.Signals(number).name} after iteration {done}: '
            f'{"saved" if saved else "could not save"}; the same command '
            'with --resume goes on.'
        )
        leave(self.exit_code)

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Remember the signal; a later one has its usual effect."""
        now = time.monotonic()
        if not self.received:
            self.received, self.since = number, now
        elif now - self.since > PASSED_ON:
            self._restore()
            os.kill(os.getpid(), number)

    def _restore(self) -> None:
        for number, handler in self.replaced.items():
            signal.signal(number, handler)


def keep_apart(loader: DataLoader) -> None:
    """Let a signal to this process and its group spare who loads data.

    Slurm and torchrun send it to the group. A worker would end, and its end
    be an error before anything is saved.

    Args:
        loader (DataLoader): Its workers begin, each, a group of their own.
    """
    if hasattr(os, 'setpgrp'):
        loader.worker_init_fn = partial(_begin_group, loader.worker_init_fn)


def _begin_group(init: Callable[[int], None] | None, worker: int) -> None:
    os.setpgrp()
    if init is not None:
        init(worker)


def _known() -> set[str]:
    """List the names of signals."""
    return {number.name for number in signal.Signals}


def _is_main_thread() -> bool:
    """Tell whether Python lets this thread listen."""
    return threading.current_thread() is threading.main_thread()


def _between_updates(runner: Runner) -> bool:
    """Tell whether no gradients wait for further batches."""
    wrapper = runner.optim_wrapper
    counts = getattr(wrapper, '_accumulative_counts', 1)
    return counts == 1 or wrapper._inner_count % counts == 0
