"""Train several networks alike, and set their results side by side."""

import gc
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from ..engine import build_runner
from ..engine.hooks import EpochReport, ReportHook
from .complexity import Complexity
from .curves import Curve
from .tables import Column, Table, si


@dataclass(frozen=True)
class Result:
    """What became of one network.

    Args:
        name (str): Its name in the table.
        complexity (Complexity): Its size.
        curve (Curve): Its training run.
    """

    name: str
    complexity: Complexity
    curve: Curve


@contextmanager
def quiet(log: Path) -> Iterator[None]:
    """Send everything that is printed to a file.

    Loggers keep the stream of their making, so that one context must hold
    all that logs.

    Args:
        log (Path): The file, which is added to.
    """
    # Line by line: what is left in a buffer would be written once more by
    # each worker process that inherits it.
    with (
        open(log, 'a', buffering=1, encoding='utf-8') as file,
        redirect_stdout(file),
        redirect_stderr(file),
    ):
        yield


def train(
    cfg: Config,
    on_iter: Callable[[], None],
    on_epoch: Callable[[EpochReport], None],
) -> None:
    """Train a network through the Runner.

    Args:
        cfg (Config): The config, with a ``work_dir``.
        on_iter (Callable): Called after each iteration.
        on_epoch (Callable): Called after each epoch.
    """
    runner: Runner = build_runner(cfg)
    runner.register_hook(ReportHook(on_iter, on_epoch))
    runner.train()
    # Left to the garbage collector, the workers' queues may go before the
    # workers, and each of these is then waited for five seconds.
    for loader in (runner.train_dataloader, runner.val_dataloader):
        loader._iterator = None
    del runner
    gc.collect()


def tabulate(results: list[Result], caption: str) -> Table:
    """Set results side by side.

    Args:
        results (list[Result]): The results; the first is the baseline.
        caption (str): What one must know to read the table.

    Returns:
        Table: One row for each network.
    """
    columns = [
        Column('network', 'network'),
        Column('params', 'params', si),
        Column('macs', 'MACs', si),
        Column('top1_best', 'top-1 best', '{:.2f}'.format),
        Column('top1_final', 'top-1 final', '{:.2f}'.format),
        Column('epoch_seconds', 's/epoch', '{:.2f}'.format),
    ]
    rows = [
        dict(
            network=result.name,
            params=result.complexity.params,
            macs=result.complexity.macs,
            top1_best=result.curve.best,
            top1_final=result.curve.final,
            epoch_seconds=result.curve.epoch_seconds,
        )
        for result in results
    ]
    return Table(columns, rows, caption)


def verdict(baseline: Result, other: Result, val_images: int) -> str:
    """Say which network ended higher, and whether that means anything.

    Args:
        baseline (Result): The network compared with.
        other (Result): The network of interest.
        val_images (int): Number of validation images.

    Returns:
        str: One or two sentences.
    """
    gain = other.curve.final - baseline.curve.final
    chance = chance_difference(
        baseline.curve.final, other.curve.final, val_images
    )
    if round(gain, 2) == 0:
        first = f'{other.name} and {baseline.name} end level.'
    else:
        side = 'above' if gain > 0 else 'below'
        first = (
            f'{other.name} ends {abs(gain):.2f} points {side} {baseline.name}.'
        )
    return (
        f'{first} With {val_images} validation images and one seed, '
        f'differences under about {chance:.1f} points are within chance.'
    )


def chance_difference(first: float, second: float, images: int) -> float:
    """Estimate which difference of accuracies chance alone explains.

    Twice the standard error of the difference of two proportions; the
    spread between seeds comes on top of it.

    Args:
        first (float): An accuracy in percent.
        second (float): Another one.
        images (int): Number of images that each was measured on.

    Returns:
        float: The difference in points.

    Example:
        >>> round(chance_difference(90, 90, 400), 1)
        4.3
    """
    # Half an image is added to either side: at 100 % the plain formula
    # would claim certainty.
    shares = [(p / 100 * images + 0.5) / (images + 1) for p in (first, second)]
    variance = sum(p * (1 - p) / images for p in shares)
    return 200 * math.sqrt(variance)
