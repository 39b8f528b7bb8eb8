"""Tell how a long measurement goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from .timing import Step


@contextmanager
def told(console: Console, label: str, rounds: int) -> Iterator[Step]:
    """Show a bar for the rounds of a measurement.

    Args:
        console (Console): Where to show it; a line where it is no terminal.
        label (str): What is measured.
        rounds (int): Number of rounds.

    Yields:
        Callable: To be called after each round.
    """
    if not console.is_terminal:
        console.print(label, highlight=False, markup=False, soft_wrap=True)
    progress = Progress(
        TextColumn('{task.description}', markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        task = progress.add_task(label, total=rounds)
        yield lambda: progress.advance(task)
