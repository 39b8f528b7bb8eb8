"""Train a small network with and without MLFM, and compare the two."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from mmengine.registry import DATASETS, DefaultScope
from rich.console import Console

from mlfm_mm.analysis.complexity import measure_complexity
from mlfm_mm.analysis.evidence.statistics import spread
from mlfm_mm.analysis.machine import describe_machine, place
from mlfm_mm.analysis.plots import plot_curves
from mlfm_mm.analysis.sizes import image_size
from mlfm_mm.analysis.tables import Column, Table, si
from mlfm_mm.datasets import FolderContents, FolderError, scan_folder
from mlfm_mm.engine import UsageError
from mlfm_mm.engine.models import build_model

from .pictures import save_pictures
from .recipe import Settings, make_config, network_of
from .training import MAX_LINES, Run, quiet, train_all
from .verdict import Curves, verdict


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
        console (Console): Where to print the progress.

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
        runs = make_runs(settings, contents)
        task = describe(runs[0], settings)
        save_pictures(runs[0].cfg, folder / 'pictures.png')
        _print(
            console,
            f'Training {runs[0].title} without and with MLFM, one after the '
            f'other, with the same seeds and the same data, on '
            f'{place(describe_machine())}.\n{task}\n'
            f'Everything goes to {folder}, the log to console.log.',
        )
        curves = train_all(runs, task.steps, folder, console)
        table = tabulate(runs, curves, task)
    table.save(
        folder,
        'results',
        settings=asdict(settings),
        curves={
            title: {seed: asdict(curve) for seed, curve in found.items()}
            for title, found in curves.items()
        },
        machine=describe_machine(),
    )
    lines = {title: [*found.values()] for title, found in curves.items()}
    plot_curves(lines, folder / 'curves.png', str(task))
    console.print()
    console.print(table.rich())
    _print(
        console,
        f'\nSaved in {folder}: results.md, results.csv, results.json, '
        'curves.png, pictures.png, and for each network its config, log and '
        'checkpoint.',
    )
    return folder


def make_runs(
    settings: Settings, contents: FolderContents | None
) -> list[Run]:
    """List what is trained, a pair of networks for each seed."""
    _, title = network_of(settings)
    arms = {'baseline': title, 'mlfm': f'{title} + MLFM'}
    return [
        Run(name, arm, seed, make_config(arm, seed, settings, contents))
        for seed in settings.all_seeds
        for arm, name in arms.items()
    ]


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
    """Print without markup, and without breaking file names."""
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


def describe(run: Run, settings: Settings) -> Task:
    """Count what a network is trained on."""
    cfg = run.cfg
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        loaders = (cfg.train_dataloader, cfg.val_dataloader)
        train, val = (DATASETS.build(loader.dataset) for loader in loaders)
    source = 'handwritten digits under a fine grain'
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


def tabulate(runs: list[Run], curves: Curves, task: Task) -> Table:
    """Tabulate the results.

    Args:
        runs (list[Run]): What was trained.
        curves (dict[str, dict[int, Curve]]): Their curves, by title and seed.
        task (Task): What they were trained on.

    Returns:
        Table: One row for each network.
    """
    columns = [
        Column('network', 'network'),
        Column('params', 'params', si),
        Column('macs', 'MACs', si),
        Column('top1_best', 'top-1 best'),
        Column('top1_final', 'top-1 final'),
        Column('epoch_seconds', 's/epoch', '{:.2f}'.format),
    ]
    rows = []
    for title, cfg in {run.title: run.cfg for run in runs}.items():
        cost = measure_complexity(build_model(cfg), image_size(cfg))
        found = curves[title].values()
        rows.append(
            dict(
                network=title,
                params=cost.params,
                macs=cost.macs,
                top1_best=spread([curve.best for curve in found]),
                top1_final=spread([curve.final for curve in found]),
                epoch_seconds=min(curve.epoch_seconds for curve in found),
            )
        )
    caption = (
        f'{task}. top-1: % of the validation images, {seeds_of(runs)}. '
        f's/epoch: training alone, the fastest epoch, on '
        f'{place(describe_machine())}. {verdict(curves, task.val_images)}'
    )
    return Table(columns, rows, caption)


def seeds_of(runs: list[Run]) -> str:
    """Say which seeds were trained."""
    seeds = sorted({run.seed for run in runs})
    if len(seeds) == 1:
        return f'one run each, seed {seeds[0]}'
    return f'mean ± standard deviation over seeds {seeds[0]} to {seeds[-1]}'
