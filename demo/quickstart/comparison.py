"""Train a small network with and without MLFM, and compare the two."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope
from rich.console import Console

from mlfm_mm.analysis.complexity import measure_complexity
from mlfm_mm.analysis.machine import describe_machine, place
from mlfm_mm.analysis.plots import plot_curves
from mlfm_mm.analysis.runs import Curve
from mlfm_mm.analysis.sizes import image_size
from mlfm_mm.analysis.tables import Column, Table, si
from mlfm_mm.datasets import FolderContents, FolderError, scan_folder
from mlfm_mm.engine import UsageError
from mlfm_mm.engine.models import build_model

from .recipe import Settings, make_config
from .training import MAX_LINES, quiet, train_all

BASELINE, MLFM = 'ResNet-18 w16', 'ResNet-18 w16 + MLFM'


@dataclass(frozen=True)
class Task:
    """What both networks are trained on.

    Args:
        source (str): Name of the images.
        classes (int): Number of classes.
        train_images (int): Number of training images.
        val_images (int): Number of validation images.
        size (int): Height and width of the images.
        epochs (int): Epochs of each network.
        batch (int): Images in a training batch.

    Example:
        >>> print(Task('digits', 10, 1442, 355, 32, 1, 64))
        digits: 10 classes, 1442 training and 355 validation images,
        32x32 px, 1 epoch, batch 64
    """

    source: str
    classes: int
    train_images: int
    val_images: int
    size: int
    epochs: int
    batch: int

    @property
    def steps(self) -> int:
        """int: Training steps of each network."""
        return self.train_images // self.batch * self.epochs

    def __str__(self) -> str:
        return (
            f'{self.source}: {self.classes} classes, {self.train_images} '
            f'training and {self.val_images} validation images, '
            f'{self.size}x{self.size} px, {self.epochs} '
            f'{"epoch" if self.epochs == 1 else "epochs"}, batch {self.batch}'
        )


def run_quickstart(settings: Settings, console: Console) -> Path:
    """Train the network with and without MLFM, and compare.

    Args:
        settings (Settings): What the user asked for.
        console (Console): Where to tell how it goes.

    Returns:
        Path: The folder with the results.

    Raises:
        UsageError: If an option is wrong, or the user's folder cannot be
            trained on.
    """
    contents = None
    if settings.data is not None:
        try:
            contents = scan_folder(
                settings.data, max_per_class=settings.max_per_class
            )
        except FolderError as error:
            raise UsageError(str(error)) from error
        tell_contents(contents, console)
    folder = make_run_folder(Path(settings.work_dir))
    with quiet(folder / 'console.log'):
        configs = {
            BASELINE: make_config('baseline', settings, contents),
            MLFM: make_config('mlfm', settings, contents),
        }
        task = describe(configs[MLFM], settings)
        _print(
            console,
            f'Training {BASELINE} and {MLFM}, one after the other, with the '
            f'same seed and the same data, on {place(describe_machine())}.\n'
            f'{task}\nEverything goes to {folder}, the log to console.log.',
        )
        curves = train_all(configs, task.steps, folder, console)
        table = tabulate(configs, curves, task, settings.seed)
    table.save(
        folder,
        'results',
        settings=asdict(settings),
        curves={title: asdict(curve) for title, curve in curves.items()},
        machine=describe_machine(),
    )
    plot_curves(curves, folder / 'curves.png', str(task))
    console.print()
    console.print(table.rich())
    _print(
        console,
        f'\nSaved in {folder}: results.md, results.csv, results.json, '
        'curves.png, and for each network its config, log and checkpoint.',
    )
    return folder


def tell_contents(contents: FolderContents, console: Console) -> None:
    """Print the classes that were found."""
    counts = zip(
        contents.classes,
        contents.counts('train'),
        contents.counts('val'),
        strict=True,
    )
    listed = [f'{name} {train}+{val}' for name, train, val in counts]
    rest = len(listed) - MAX_LINES
    more = f' and {rest} more classes' if rest > 0 else ''
    _print(
        console,
        f'{len(contents.classes)} classes (training + validation images): '
        f'{", ".join(listed[:MAX_LINES])}{more}',
    )
    for line in contents.left_out():
        _print(console, f'Left out: {line}')


def _print(console: Console, text: str) -> None:
    """Print as it is: file names are no markup, and stay in one piece."""
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def make_run_folder(parent: Path) -> Path:
    """Make a folder for this run alone, so that none is ever resumed.

    Args:
        parent (Path): Where to make it.

    Returns:
        Path: The folder, named after the time.

    Raises:
        UsageError: If it cannot be made.
    """
    folder = parent / datetime.now().strftime('%Y%m%d_%H%M%S')
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UsageError(
            f'--work-dir {parent}: no folder can be made there ({error})'
        ) from error
    return folder


def describe(cfg: Config, settings: Settings) -> Task:
    """Count what a config trains on."""
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        loaders = (cfg.train_dataloader, cfg.val_dataloader)
        train, val = (DATASETS.build(loader.dataset) for loader in loaders)
    source = 'handwritten digits'
    if settings.data is not None:
        source = Path(settings.data).resolve().name
    return Task(
        source,
        len(train.CLASSES),
        len(train),
        len(val),
        image_size(cfg)[0],
        cfg.train_cfg.max_epochs,
        cfg.train_dataloader.batch_size,
    )


def tabulate(
    configs: dict[str, Config],
    curves: dict[str, Curve],
    task: Task,
    seed: int,
) -> Table:
    """Set the results side by side.

    Args:
        configs (dict[str, Config]): The networks' configs by title.
        curves (dict[str, Curve]): Their training runs.
        task (Task): What they were trained on.
        seed (int): The seed.

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
    rows = []
    for title, cfg in configs.items():
        cost = measure_complexity(build_model(cfg), image_size(cfg))
        rows.append(
            dict(
                network=title,
                params=cost.params,
                macs=cost.macs,
                top1_best=curves[title].best,
                top1_final=curves[title].final,
                epoch_seconds=curves[title].epoch_seconds,
            )
        )
    caption = (
        f'{task}; one run each, seed {seed}. top-1: % of the validation '
        f'images. s/epoch: training alone, the fastest epoch, on '
        f'{place(describe_machine())}. '
        f'{verdict(curves[BASELINE], curves[MLFM], task.val_images)}'
    )
    return Table(columns, rows, caption)


def verdict(baseline: Curve, mlfm: Curve, images: int) -> str:
    """Say which network ended higher, and whether that means anything.

    Args:
        baseline (Curve): The network compared with.
        mlfm (Curve): The network of interest.
        images (int): Number of validation images.

    Returns:
        str: Some sentences.
    """
    gain = mlfm.final - baseline.final
    first = f'{MLFM} and {BASELINE} end level.'
    if round(gain, 2) != 0:
        side = 'above' if gain > 0 else 'below'
        first = f'{MLFM} ends {abs(gain):.2f} points {side} {BASELINE}.'
    chance = chance_difference(baseline.final, mlfm.final, images)
    return (
        f'{first} With {images} validation images and one seed, differences '
        f'under about {chance:.1f} points are within chance. Another machine '
        'or another number of threads rounds differently, so that the same '
        'seed ends elsewhere there.'
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
