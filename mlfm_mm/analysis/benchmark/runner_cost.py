"""What the Runner adds to a training step, with and without memory."""

from __future__ import annotations

import copy
import json
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...engine import UsageError, build_runner, prepare_training
from .. import machine as machines
from ..tables import Column, Table
from .report import milliseconds, percent
from .timing import nothing
from .variants import LABELS, has_memory, without_memory

# Iterations in which data and memory are set up.
SKIPPED = 3


class Enough(Exception):
    """Raised to leave a training run in its middle."""


class Stopwatch(Hook):
    """Take the time of iterations, and of the model's step in them.

    Args:
        iterations (int): After so many, the run is left.
    """

    # After all that others do in an iteration.
    priority = 'LOWEST'

    def __init__(self, iterations: int) -> None:
        self.iterations = iterations
        self.steps: list[float] = []
        self.ends: list[float] = []

    def before_train(self, runner: Runner) -> None:
        """Set a clock around the model's step."""
        step = runner.model.train_step

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            result = step(*args, **kwargs)
            self.steps.append(time.perf_counter() - start)
            return result

        runner.model.train_step = timed

    def after_train_iter(self, runner: Runner, *args: Any, **_: Any) -> None:
        """Note the time.

        Raises:
            Enough: After the last iteration.
        """
        self.ends.append(time.perf_counter())
        if len(self.ends) >= self.iterations:
            raise Enough

    def outside(self) -> list[float]:
        """Give what each iteration took beside the model's step."""
        spans = [b - a for a, b in zip(self.ends, self.ends[1:], strict=False)]
        pairs = zip(spans, self.steps[1:], strict=True)
        return [span - step for span, step in pairs][SKIPPED:]


@dataclass(frozen=True)
class RunnerCost:
    """What the Runner costs with one network.

    Args:
        arm (str): The network's name.
        step (list[float]): Median seconds of the model's step: preparation
            of the batch, forward, backward, update; for each run.
        outside (list[float]): Median seconds of an iteration beside it:
            data, hooks, log; for each run.
    """

    arm: str
    step: list[float]
    outside: list[float]


def measure_runner(
    path: str,
    folder: Path,
    iterations: int = 20,
    rounds: int = 3,
    on_round: Callable[[], None] = nothing,
) -> list[RunnerCost]:
    """Train for some iterations, with and without memory in turns.

    Args:
        path (str): A config with an MLFMNeck, whose data are there.
        folder (Path): Where the Runner writes.
        iterations (int): Iterations of a run. Defaults to 20.
        rounds (int): Runs of each network. Defaults to 3.
        on_round (Callable): Called after each run. Defaults to nothing.

    Returns:
        list[RunnerCost]: The network without memory, and with it.

    Raises:
        UsageError: The config has no memory, or ``iterations`` is too small.
    """
    if iterations < SKIPPED + 2:
        raise UsageError(
            f'{iterations} iterations are too few: the first {SKIPPED + 1} '
            'do not count'
        )
    cfg = runner_config(path, folder)
    name = Path(path).stem
    plain = copy.deepcopy(cfg)
    plain.model = without_memory(cfg.model)
    arms = dict(baseline=plain, mlfm=cfg)
    costs = {
        variant: RunnerCost(LABELS[variant].format(name), [], [])
        for variant in arms
    }
    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(rounds):
        for variant, arm in arms.items():
            with (
                open(folder / 'console.log', 'a', buffering=1) as log,
                redirect_stdout(log),
                redirect_stderr(log),
            ):
                watch = run_some(arm, iterations)
            costs[variant].step.append(median(watch.steps[SKIPPED + 1 :]))
            costs[variant].outside.append(median(watch.outside()))
            on_round()
    return list(costs.values())


def runner_config(path: str, folder: Path) -> Config:
    """Fit a config: data from this process, nothing but training."""
    args = Namespace(
        config=path,
        cfg_options=None,
        launcher='none',
        work_dir=str(folder),
        no_validate=True,
        amp=False,
        auto_scale_lr=False,
        resume=None,
    )
    cfg = prepare_training(args)
    if not has_memory(cfg.model):
        raise UsageError(
            f'{path} has no MLFMNeck, so that there is nothing to compare: '
            'give a config of configs/mlfm'
        )
    cfg.test_cfg = cfg.test_dataloader = cfg.test_evaluator = None
    # In this process, where loading can be timed.
    cfg.train_dataloader.num_workers = 0
    cfg.train_dataloader.persistent_workers = False
    cfg.randomness = dict(seed=0)
    return cfg


def run_some(cfg: Config, iterations: int) -> Stopwatch:
    """Train through the Runner, and leave it."""
    watch = Stopwatch(iterations)
    runner = build_runner(copy.deepcopy(cfg))
    runner.register_hook(watch)
    with suppress(Enough):
        runner.train()
    return watch


def runner_table(costs: list[RunnerCost]) -> Table:
    """Set the networks side by side.

    Args:
        costs (list[RunnerCost]): The network without memory, and with it.

    Returns:
        Table: A row for each.
    """
    columns = [
        Column('arm', 'network'),
        Column('step', "model's step (ms)", milliseconds),
        Column('outside', 'beside it (ms)', milliseconds),
        Column('share', 'share of the iteration', percent),
    ]
    rows = []
    for cost in costs:
        step, outside = min(cost.step), min(cost.outside)
        share = outside / (step + outside)
        rows.append(
            dict(arm=cost.arm, step=step, outside=outside, share=share)
        )
    plain, mlfm = (min(cost.outside) for cost in costs)
    noise = max(costs[0].outside) - plain
    side = 'more' if mlfm > plain else 'less'
    caption = (
        f'Medians of an iteration, the least of {len(costs[0].step)} runs '
        f'each, in turns. With memory, {1e3 * abs(mlfm - plain):.2f} ms '
        f'{side} beside the step; the runs without it differ by '
        f'{1e3 * noise:.2f} ms among themselves.'
    )
    return Table(columns, rows, caption)


def save_runner(
    costs: list[RunnerCost], command: str, folder: Path, stem: str
) -> list[Path]:
    """Write JSON and Markdown.

    Args:
        costs (list[RunnerCost]): What was measured.
        command (str): How it was called.
        folder (Path): Where to write; made if it is not there.
        stem (str): The name of the files without their endings.

    Returns:
        list[Path]: The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = dict(
        command=command,
        machine=machines.describe_machine(),
        runner=[asdict(cost) for cost in costs],
    )
    data, page = (folder / f'{stem}.{ending}' for ending in ('json', 'md'))
    data.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')
    page.write_text(runner_table(costs).markdown(), encoding='utf-8')
    return [data, page]
