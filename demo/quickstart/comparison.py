"""Train a small network with and without MLFM, and compare the two."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from mmengine.registry import DATASETS, DefaultScope
from rich.console import Console

from mlfm_mm.analysis.compare import (
    Runs,
    find_networks,
    save,
    summarize,
    tabulate,
)
from mlfm_mm.analysis.machine import describe_machine, place
from mlfm_mm.analysis.plots import plot_curves
from mlfm_mm.analysis.sizes import image_size
from mlfm_mm.analysis.tables import Table
from mlfm_mm.datasets import FolderContents, FolderError, scan_folder
from mlfm_mm.engine import UsageError

from .pictures import save_pictures
from .recipe import Settings, make_config, network_of
from .training import MAX_LINES, Run, quiet, train_all
from .verdict import verdict


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
        train_all(runs, task.steps, folder, console)
        words = [f'{run.title}={run.cfg.work_dir}' for run in runs]
        networks = find_networks(words)
        rows = summarize(networks)
    table = lay_out(networks, rows, task)
    save(networks, table, folder, settings=asdict(settings))
    curves = {name: [r.curve for r in runs] for name, runs in networks.items()}
    plot_curves(curves, folder / 'curves.png', str(task))
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


def lay_out(networks: Runs, rows: list[dict], task: Task) -> Table:
    """Lay out the results.

    Args:
        networks (dict[str, list[TrainedRun]]): The runs.
        rows (list[dict]): From :func:`mlfm_mm.analysis.compare.summarize`.
        task (Task): What they were trained on.

    Returns:
        Table: One row for each network.
    """
    caption = (
        f'{task}. top-1: % of the validation images, '
        f'{seeds_of(rows[0]["seeds"])}. s/epoch: training alone, the fastest '
        f'epoch, on {place(describe_machine())}. '
        f'{verdict(networks, task.val_images)}'
    )
    shown = ('network', 'params', 'macs', 'epoch_seconds', 'best', 'final')
    table = tabulate(networks, rows).only(*shown)
    # As the caption says it; the table has to fit into a terminal.
    columns = [
        replace(column, title=column.title.removesuffix(' (%)'))
        for column in table.columns
    ]
    return replace(table, columns=columns, caption=caption)


def seeds_of(seeds: list[int]) -> str:
    """Say which seeds were trained."""
    if len(seeds) == 1:
        return f'one run each, seed {seeds[0]}'
    return f'mean ± standard deviation over seeds {seeds[0]} to {seeds[-1]}'
