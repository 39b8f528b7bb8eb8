"""Save and exit when the machine is taken away."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from ...registry import HOOKS
from ..distributed import highest, leave
from .exact_resume import has_pending_gradients
from .safe_checkpoint import SafeCheckpointHook

# EX_TEMPFAIL of sysexits.h: "temporary failure, try again".
EXIT_CODE = 75
# Within so many seconds a second signal is the first, passed on twice, as by
# Slurm and by torchrun.
SAME_SIGNAL = 5.0


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Save and exit at a signal, so that the same command resumes later.

    All processes finish the same iteration; then a checkpoint is written, and
    the process exits with a code by which a job script knows that the run is
    to be resumed. In a validation that follows a checkpoint of all that it
    takes to go on, the process exits at once, and so it does at a second
    signal, some seconds later. It needs :class:`SafeCheckpointHook`.

    Args:
        signals (list[str]): The signals. Slurm sends SIGTERM before it
            takes a machine away, and the one of ``sbatch --signal``.
            Defaults to ``['SIGTERM']``.
        exit_code (int): The code. Defaults to 75.

    Raises:
        ValueError: If a signal is not known, or cannot be answered.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.PreemptionHook')]
    """

    # After all other hooks of the iteration.
    priority = 'LOWEST'

    def __init__(
        self,
        signals: tuple[str, ...] | list[str] = ('SIGTERM',),
        exit_code: int = EXIT_CODE,
    ) -> None:
        # The system ends, or halts, a process by these two itself.
        deaf = {'SIGKILL', 'SIGSTOP'}
        known = {number.name for number in signal.Signals} - deaf
        unknown = [name for name in signals if name not in known]
        if unknown:
            raise ValueError(
                f'signals={list(signals)!r}: {unknown[0]} is no signal that '
                'a process can answer; give names such as SIGTERM or SIGUSR1'
            )
        self.signals = [signal.Signals[name] for name in signals]
        self.exit_code = exit_code
        self.received = 0
        self.since = 0.0
        self.replaced: dict[signal.Signals, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Install the signal handlers.

        Args:
            runner (Runner): The runner.
        """
        savers = [h for h in runner.hooks if isinstance(h, SafeCheckpointHook)]
        # Python lets only the main thread install them.
        in_main = threading.current_thread() is threading.main_thread()
        if not savers or not in_main:
            return
        self.saver = savers[0]
        loops = (runner.train_loop, runner.val_loop)
        for loader in [loop.dataloader for loop in loops if loop is not None]:
            keep_apart(loader)
        self.replaced = {
            number: signal.signal(number, self._note)
            for number in self.signals
        }

    def after_train(self, runner: Runner) -> None:
        """Restore the previous signal handlers."""
        self._restore()

    def after_train_iter(
        self, runner: Runner, *args: object, **kwargs: object
    ) -> None:
        """Save and exit, if any process has received a signal."""
        if not self.replaced:
            return
        received = highest(self.received)
        if not received or has_pending_gradients(runner):
            return
        # To go on takes all of it, whatever the run keeps otherwise.
        self.saver.save_optimizer = self.saver.save_param_scheduler = True
        saved = self.saver.save_now(runner)
        self._leave(runner, int(received), runner.iter + 1, saved)

    def after_val_iter(
        self, runner: Runner, *args: object, **kwargs: object
    ) -> None:
        """Exit, if all is saved: a resumed run validates first.

        Otherwise the validation is finished, and the run is saved after it.
        """
        if not self.received or self.saver.last_iter != runner.iter:
            return
        if has_pending_gradients(runner):
            return
        if self.saver.save_optimizer and self.saver.save_param_scheduler:
            self._leave(runner, self.received, runner.iter, True)

    def _leave(
        self, runner: Runner, number: int, done: int, saved: bool
    ) -> None:
        """Exit with ``exit_code``."""
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
        elif now - self.since > SAME_SIGNAL:
            self._restore()
            os.kill(os.getpid(), number)

    def _restore(self) -> None:
        for number, handler in self.replaced.items():
            signal.signal(number, handler)


def keep_apart(loader: DataLoader) -> None:
    """Keep a signal to this process's group away from dataloader workers.

    Slurm and torchrun signal the group. A worker would end, which raises an
    error before anything is saved.

    Args:
        loader (DataLoader): Changed in place: each worker begins a process
            group of its own.
    """
    if hasattr(os, 'setpgrp'):
        loader.worker_init_fn = partial(_begin_group, loader.worker_init_fn)


def _begin_group(init: Callable[[int], None] | None, worker: int) -> None:
    os.setpgrp()
    if init is not None:
        init(worker)
