"""Train the networks one after the other, telling how it goes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mlfm_mm.analysis.runs import Curve, read_curve
from mlfm_mm.engine import build_runner
from mlfm_mm.engine.hooks.epoch_summary import mean_loss

# Many epochs are told in at most so many lines.
MAX_LINES = 12


@contextmanager
def quiet(log: Path) -> Iterator[None]:
    """Send everything that is printed to a file, which is added to.

    Loggers keep the stream of their making, so that one context must hold
    all that logs.
    """
    # Line by line: what is left in a buffer would be written once more by
    # each worker process that inherits it.
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
        progress (Progress): Moved by each iteration; knows the time left.
    """

    def __init__(self, title: str, progress: Progress) -> None:
        self.title = title
        self.progress = progress

    def after_train_iter(self, *args: Any, **kwargs: Any) -> None:
        """Move the bar."""
        self.progress.advance(self.progress.task_ids[0])

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Print the line."""
        epoch, epochs = runner.epoch, runner.max_epochs
        if epoch % -(-epochs // MAX_LINES) and epoch != epochs:
            return
        top1 = (metrics or {})['accuracy/top1']
        seconds = self.progress.tasks[0].time_remaining
        left = timedelta(seconds=round(seconds or 0))
        self.progress.console.print(
            f'{self.title:<22} epoch {epoch:>3}/{epochs}  '
            f'loss {mean_loss(runner):.3f}  top-1 {top1:.2f}  ({left} left)',
            highlight=False,
        )


def train_all(
    configs: dict[str, Config], steps: int, folder: Path, console: Console
) -> dict[str, Curve]:
    """Train the networks, one after the other.

    Args:
        configs (dict[str, Config]): Their configs by title.
        steps (int): Training steps of each.
        folder (Path): Each writes into a folder in it.
        console (Console): Where to tell how it goes.

    Returns:
        dict[str, Curve]: How it went, by title.
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
    progress.add_task('both networks', total=steps * len(configs))
    curves = {}
    with progress:
        for title, cfg in configs.items():
            cfg.work_dir = str(folder / Path(cfg.filename).parent.name)
            train(cfg, TellEpochs(title, progress))
            curves[title] = read_curve(cfg.work_dir)
    return curves


def train(cfg: Config, hook: Hook) -> None:
    """Train a network through the Runner, with one more hook."""
    runner = build_runner(cfg)
    runner.register_hook(hook)
    runner.train()
    # Left to the garbage collector, the workers' queues may go before the
    # workers, and each of these is then waited for five seconds.
    for loader in (runner.train_dataloader, runner.val_dataloader):
        loader._iterator = None
    del runner
    gc.collect()
