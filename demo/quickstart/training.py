"""Train the networks one after the other, and print the progress."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mlfm_mm.engine import build_runner
from mlfm_mm.engine.hooks.epoch_summary import mean_loss

# About so many lines are printed about epochs, in all.
MAX_LINES = 24


@contextmanager
def quiet(log: Path) -> Iterator[None]:
    """Append everything that is printed to a file.

    Loggers keep the stream that they were created with, so that one context
    must enclose all that logs.
    """
    # Line by line: each worker process would inherit what is left in a
    # buffer, and write it once more.
    with (
        open(log, 'a', buffering=1, encoding='utf-8') as file,
        redirect_stdout(file),
        redirect_stderr(file),
    ):
        yield


class TellEpochs(Hook):
    """Print a line about each epoch, or about every few of many.

    Args:
        title (str): The network's name.
        progress (Progress): Advanced by each iteration; has the time left.
        lines (int): At most so many lines. Defaults to ``MAX_LINES // 2``.
    """

    def __init__(
        self, title: str, progress: Progress, lines: int = MAX_LINES // 2
    ) -> None:
        self.title = title
        self.progress = progress
        self.lines = lines

    def after_train_iter(self, *args: Any, **kwargs: Any) -> None:
        """Move the bar."""
        self.progress.advance(self.progress.task_ids[0])

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Print the line."""
        epoch, epochs = runner.epoch, runner.max_epochs
        if epoch % -(-epochs // self.lines) and epoch != epochs:
            return
        top1 = (metrics or {})['accuracy/top1']
        seconds = self.progress.tasks[0].time_remaining
        left = timedelta(seconds=round(seconds or 0))
        self.progress.console.print(
            f'{self.title:<27} epoch {epoch:>2}/{epochs}  '
            f'loss {mean_loss(runner):.3f}  top-1 {top1:.2f}  {left} left',
            highlight=False,
            soft_wrap=True,
        )


@dataclass(frozen=True)
class Run:
    """A network to be trained with a seed.

    Args:
        title (str): The network's name.
        arm (str): ``'baseline'`` or ``'mlfm'``.
        seed (int): The seed.
        cfg (Config): Its config.
    """

    title: str
    arm: str
    seed: int
    cfg: Config


def train_all(
    runs: list[Run], steps: int, folder: Path, console: Console
) -> None:
    """Train the networks, one after the other.

    Args:
        runs (list[Run]): What to train.
        steps (int): Training steps of each.
        folder (Path): Each writes into a folder in it.
        console (Console): Where to print the progress.
    """
    progress = Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        TextColumn('{task.percentage:>3.0f} %'),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        # Output is redirected already, to the log.
        redirect_stdout=False,
        redirect_stderr=False,
    )
    progress.add_task('all networks', total=steps * len(runs))
    lines = max(MAX_LINES // len(runs), 1)
    with progress:
        for run in runs:
            run.cfg.work_dir = str(folder / f'{run.arm}_s{run.seed}')
            name = f'{run.title}, seed {run.seed}'
            train(run.cfg, TellEpochs(name, progress, lines))


def train(cfg: Config, hook: Hook) -> None:
    """Train a network through the Runner, with one more hook."""
    runner = build_runner(cfg)
    runner.register_hook(hook)
    runner.train()
    # The garbage collector may free the workers' queues before the workers;
    # joining each worker then takes five seconds, until it times out.
    for loader in (runner.train_dataloader, runner.val_dataloader):
        loader._iterator = None
    del runner
    gc.collect()
