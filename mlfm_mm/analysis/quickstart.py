"""The quickstart: a small network with and without MLFM, side by side."""

from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path

import mmengine
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from .. import __version__
from ..datasets import FolderContents, scan_folder
from ..engine import UsageError
from ..engine.hooks import EpochReport
from .comparison import Result, quiet, tabulate, train, verdict
from .curves import read_curve
from .machine import describe_machine, place
from .plan import ARMS, Plan, describe, make_plan, spoken
from .plots import plot_curves
from .recipe import Settings

# Many classes or epochs are told in at most so many lines.
MAX_LINES = 12


def run_quickstart(
    settings: Settings, configs: Path, console: Console
) -> Path:
    """Train the network with and without MLFM, and compare.

    Args:
        settings (Settings): What the user asked for.
        configs (Path): The folder of the project's configs.
        console (Console): Where to tell how it goes.

    Returns:
        Path: The folder with the results.

    Raises:
        UsageError: If an option is wrong.
        FolderError: If the user's folder cannot be trained on.
    """
    contents = None
    if settings.data is not None:
        contents = scan_folder(
            settings.data, max_per_class=settings.max_per_class
        )
        tell_contents(contents, console)
    folder = make_run_folder(Path(settings.work_dir))
    log = folder / 'console.log'
    with quiet(log):
        plan = make_plan(settings, configs, contents)
        tell_plan(plan, settings, folder, console)
        results = train_all(plan, folder, console)
    caption = write_results(results, plan, settings, folder)
    console.print()
    console.print(tabulate(results, caption).rich())
    console.print(
        f'\nSaved in {folder}: results.md, results.csv, results.json, '
        'curves.png, and for each network its config, log and checkpoint.',
        soft_wrap=True,
        highlight=False,
    )
    return folder


def make_run_folder(parent: Path) -> Path:
    """Make a folder for this run alone, so that none is ever resumed.

    Args:
        parent (Path): Where to make it.

    Returns:
        Path: The folder, named after the time.

    Raises:
        UsageError: If it cannot be made.
    """
    stamp = datetime.now().strftime('%Y%m%d_%H%M%S')
    for number in range(100):
        folder = parent / (f'{stamp}_{number}' if number else stamp)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if parent.is_file():
                break
            continue
        except OSError as error:
            raise UsageError(
                f'--work-dir {parent}: no folder can be made there ({error})'
            ) from error
        return folder
    raise UsageError(f'--work-dir {parent}: no folder can be made there')


def tell_contents(contents: FolderContents, console: Console) -> None:
    """Print the classes that were found.

    Args:
        contents (FolderContents): What is in the user's folder.
        console (Console): Where to print.
    """
    counts = zip(
        contents.classes,
        contents.counts('train'),
        contents.counts('val'),
        strict=True,
    )
    listed = [f'{name} {train}+{val}' for name, train, val in counts]
    rest = len(listed) - MAX_LINES
    more = f' and {rest} more classes' if rest > 0 else ''
    console.print(
        f'{len(contents.classes)} classes (training + validation images): '
        f'{", ".join(listed[:MAX_LINES])}{more}',
        highlight=False,
        markup=False,
    )
    if contents.unreadable:
        console.print(
            f'Left out: {len(contents.unreadable)} files that are no '
            f'images, such as {contents.unreadable[0]}',
            highlight=False,
            markup=False,
        )


def tell_plan(
    plan: Plan, settings: Settings, folder: Path, console: Console
) -> None:
    """Print what will happen, and how long it will take.

    Args:
        plan (Plan): The plan.
        settings (Settings): What the user asked for.
        folder (Path): The folder of the run.
        console (Console): Where to print.
    """
    titles = ' and '.join(arm.title for arm in plan.arms)
    console.print(
        f'Training {titles}, one after the other, with the same seed and '
        f'the same data.\n{describe(plan, settings)}\n'
        f'Time: about {spoken(plan.seconds())} on '
        f'{place(describe_machine())}. Everything goes to '
        f'{folder}, the log to console.log.',
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


def train_all(plan: Plan, folder: Path, console: Console) -> list[Result]:
    """Train the networks, one after the other.

    Args:
        plan (Plan): The plan.
        folder (Path): The folder of the run.
        console (Console): Where to tell how it goes.

    Returns:
        list[Result]: What became of them.
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
    steps = plan.train_images // plan.batch_size * plan.epochs
    results = []
    with progress:
        for name, arm in zip(ARMS, plan.arms, strict=True):
            task = progress.add_task(arm.title, total=steps)
            arm.cfg.work_dir = str(folder / name)
            train(
                arm.cfg,
                partial(progress.advance, task),
                partial(tell_epoch, arm.title, console),
            )
            progress.remove_task(task)
            curve = read_curve(folder / name)
            results.append(Result(arm.title, arm.complexity, curve))
    return results


def tell_epoch(title: str, console: Console, report: EpochReport) -> None:
    """Print a line about an epoch, or about every few of many.

    Args:
        title (str): The network's name.
        console (Console): Where to print.
        report (EpochReport): The epoch.
    """
    stride = -(-report.max_epochs // MAX_LINES)
    if report.epoch % stride and report.epoch != report.max_epochs:
        return
    console.print(
        f'{title:<22} epoch {report.epoch:>3}/{report.max_epochs}  '
        f'loss {report.loss:.3f}  top-1 {report.metrics["accuracy/top1"]:.2f}',
        highlight=False,
    )


def write_results(
    results: list[Result], plan: Plan, settings: Settings, folder: Path
) -> str:
    """Write the table and the picture.

    Args:
        results (list[Result]): The baseline and MLFM.
        plan (Plan): The plan.
        settings (Settings): What the user asked for.
        folder (Path): The folder of the run.

    Returns:
        str: The caption of the table.
    """
    line = describe(plan, settings)
    caption = (
        f'{line}; one run each, seed {settings.seed}. top-1: % of the '
        f'validation images. s/epoch: training alone, the fastest epoch, on '
        f'{place(describe_machine())}. '
        f'{verdict(results[0], results[1], plan.val_images)}'
    )
    tabulate(results, caption).save(
        folder,
        'results',
        settings=asdict(settings),
        curves={result.name: asdict(result.curve) for result in results},
        versions=dict(
            mlfm_mm=__version__,
            mmengine=mmengine.__version__,
            torch=torch.__version__,
        ),
    )
    curves = {result.name: result.curve for result in results}
    plot_curves(curves, folder / 'curves.png', line)
    return caption
