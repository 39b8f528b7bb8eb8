"""What ``tools/benchmark.py`` does with its options."""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from .benchmark import Options, run_benchmark
from .files import save
from .layout import markdown as as_markdown
from .layout import titled_tables
from .limits import judge, parse_limits
from .progress import told
from .report import Report
from .runner_cost import measure_runner, runner_table, save_runner

# Columns of a file that takes the place of a terminal.
WIDTH = 110
# Runs of each network through the Runner.
RUNS = 3


def run(args: dict[str, Any], command: str) -> int:
    """Measure, show and save.

    Args:
        args (dict): The options of ``tools/benchmark.py``, by their names.
        command (str): How it was called, for the report.

    Returns:
        int: What the program ends with: 1 where a limit is missed.

    Raises:
        UsageError: An option is wrong.
    """
    # The neck tells its taps whenever it is built, and the compiler warns
    # of a GPU that is not there.
    logging.disable(logging.WARNING)
    warnings.simplefilter('ignore')
    names = ('out', 'stem', 'markdown', 'runner', 'limit')
    folder, stem, markdown, runner, texts = (args.pop(name) for name in names)
    limits = parse_limits(texts)
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console.width = WIDTH
    options = Options(**args)
    if runner:
        run_runner(options, command, folder, stem, console)
        return 0
    report = run_benchmark(options, command, console)
    paths = save(report, folder, stem)
    if markdown:
        print(as_markdown(report))
    else:
        show(report, console)
    judgements = judge(report.rows, limits)
    for judgement in judgements:
        console.print(str(judgement), highlight=False, soft_wrap=True)
    tell_paths(paths, console)
    return int(any(judgement.met is False for judgement in judgements))


def show(report: Report, console: Console) -> None:
    """Print the tables."""
    for name, table in titled_tables(report):
        console.print()
        console.print(name, highlight=False, markup=False, style='bold')
        console.print(table.rich())
    console.print()
    for line in (report.header(), *report.notes):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def tell_paths(paths: list[Path], console: Console) -> None:
    """Say what was saved."""
    names = ', '.join(path.name for path in paths)
    console.print(
        f'Saved in {paths[0].parent}: {names}',
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def run_runner(
    options: Options, command: str, folder: Path, stem: str, console: Console
) -> None:
    """Measure what the Runner adds."""
    path = options.configs[0]
    title = f'{path} through the Runner'
    with (
        # Logs that nobody will read.
        TemporaryDirectory() as logs,
        told(console, title, 2 * RUNS) as on_round,
    ):
        costs = measure_runner(
            path, Path(logs), 2 * options.repeats, RUNS, on_round
        )
    console.print(runner_table(costs).rich())
    tell_paths(save_runner(costs, command, folder, stem), console)
