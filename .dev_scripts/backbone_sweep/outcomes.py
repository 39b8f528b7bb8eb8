"""The outcomes of the sweep, and the file that keeps them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FILE = Path('docs', 'results', 'backbones.csv')
HELD, REFUSED, FAILED, NOT_RUN = 'held', 'refused', 'failed', 'not run'


@dataclass(frozen=True)
class Outcome:
    """The outcome of one network.

    Args:
        source (str): The host or library.
        kind (str): The class of the backbone, or the family.
        example (str): The config or the name of the network.
        verdict (str): One of held, refused, failed and not run.
        why (str): The message, if it did not hold. Defaults to ''.
        taps (str): The tapped modules. Defaults to ''.
        strides (str): Their strides. Defaults to ''.
        added (str): Parameters of the units. Defaults to ''.
        share (str): Those over the parameters of the plain network, in
            percent. Defaults to ''.
    """

    source: str
    kind: str
    example: str
    verdict: str
    why: str = ''
    taps: str = ''
    strides: str = ''
    added: str = ''
    share: str = ''


def read(path: Path) -> list[Outcome]:
    """Read the outcomes, none if there is no file yet.

    Args:
        path (Path): The CSV file.

    Returns:
        list[Outcome]: Its rows.
    """
    if not path.exists():
        return []
    with path.open(encoding='utf-8', newline='') as file:
        return [Outcome(**row) for row in csv.DictReader(file)]


def write(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Write the outcomes.

    Args:
        path (Path): The CSV file.
        outcomes (Iterable[Outcome]): Its rows.
    """
    with path.open('w', encoding='utf-8', newline='') as file:
        names = [field.name for field in fields(Outcome)]
        writer = csv.DictWriter(file, names, lineterminator='\n')
        writer.writeheader()
        writer.writerows(map(asdict, outcomes))
