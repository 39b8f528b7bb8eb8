"""What was found of the networks, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from mlfm_mm.analysis.machine import busy, sentence
from mlfm_mm.analysis.tables import Column, Table, si

from .networks import BASELINE
from .timing import Ratio


def _milliseconds(value: float) -> str:
    return f'{1e3 * value:.3g} ms'


def _megabytes(value: float) -> str:
    return f'{value / 1e6:.1f} MB'


class Quantity(NamedTuple):
    """Something that is measured or counted: its title, and its form."""

    title: str
    form: Callable[[float], str]


QUANTITIES = {
    'infer': Quantity('inference', _milliseconds),
    'folded': Quantity('inference, norms folded', _milliseconds),
    'deployed': Quantity(
        'inference, norms folded, against norms as they were', _milliseconds
    ),
    'train': Quantity('training step', _milliseconds),
    'saved': Quantity('saved activations', _megabytes),
    'peak_infer': Quantity('peak of memory, inference', _megabytes),
    'peak_train': Quantity('peak of memory, training step', _megabytes),
    'launches_infer': Quantity('launches, inference', si),
    'bytes_infer': Quantity('bytes, inference', _megabytes),
    'launches_train': Quantity('launches, training step', si),
    'bytes_train': Quantity('bytes, training step', _megabytes),
    'kernels_infer': Quantity('compiled kernels, inference', si),
    'kernels_train': Quantity('compiled kernels, training step', si),
    'params': Quantity('parameters', si),
    'macs': Quantity('MACs for an image', si),
}


@dataclass(frozen=True)
class Figure:
    """What one network takes of one quantity.

    Args:
        network (str): The name of the networks that are compared.
        setting (str): How they were run.
        arm (str): The network among them.
        quantity (str): One of ``QUANTITIES``.
        value (float): Seconds, bytes or a number.
        ratio (Ratio, optional): To the network without memory. None for
            that one.
        point (str): Where in a sweep, such as ``'batch 8'``. Defaults to
            ``''``.
    """

    network: str
    setting: str
    arm: str
    quantity: str
    value: float
    ratio: Ratio | None = None
    point: str = ''

    @property
    def text(self) -> str:
        """str: The value of the baseline, the ratio of others."""
        if self.ratio is None:
            return QUANTITIES[self.quantity].form(self.value)
        return str(self.ratio)


@dataclass
class Report:
    """All that a run of the benchmark has to tell.

    Args:
        command (str): How it was called.
        machine (dict): From :func:`mlfm_mm.analysis.machine.describe_machine`.
        figures (list[Figure]): What was found.
        notes (list[str]): What was left out, and why. Defaults to none.
    """

    command: str
    machine: dict[str, Any]
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write everything as JSON, a figure on a line."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = asdict(self)
        figures = content.pop('figures')
        head = json.dumps(content, indent=1)[:-2]
        lines = ',\n  '.join(map(json.dumps, figures))
        text = f'{head},\n "figures": [\n  {lines}\n ]\n}}\n'
        path.write_text(text, encoding='utf-8')

    @classmethod
    def read(cls, path: Path) -> Report:
        """Read what :meth:`save` wrote."""
        content = json.loads(path.read_text(encoding='utf-8'))
        figures = []
        for row in content.pop('figures'):
            ratio = row.pop('ratio')
            figures.append(
                Figure(**row, ratio=None if ratio is None else Ratio(**ratio))
            )
        return cls(figures=figures, **content)

    def ending(self) -> list[str]:
        """Say where all this was measured, and what to think of it."""
        notes = list(self.notes)
        # What is only counted has no noise.
        if any(f.ratio is not None and f.ratio.noise for f in self.figures):
            notes += filter(None, [busy(self.machine)])
        return [*notes, f'{sentence(self.machine)}. `{self.command}`']


def tables(figures: Sequence[Figure]) -> list[Table]:
    """Lay out figures for people.

    A sweep of one or two quantities has a row for each point; else each
    network and setting has a table, with a row for each quantity.
    """
    swept = any(figure.point for figure in figures)
    few = len({figure.quantity for figure in figures}) <= 2
    one_table = swept and few

    def place(figure: Figure) -> tuple[str, ...]:
        rest = () if one_table else (figure.setting, figure.point)
        return figure.network, *rest

    lay_out = _sweep_table if one_table else _network_table
    return [lay_out(list(group)) for _, group in groupby(figures, place)]


def _network_table(figures: list[Figure]) -> Table:
    """Set networks side by side, their quantities below each other."""
    arms = list(dict.fromkeys(figure.arm for figure in figures))
    rows: dict[str, dict[str, str]] = {}
    for figure in figures:
        row = rows.setdefault(figure.quantity, dict.fromkeys(arms, ''))
        row['title'] = QUANTITIES[figure.quantity].title
        row[figure.arm] = figure.text
    columns = [Column('title', figures[0].network)]
    columns += [Column(arm, _named(arm, arms[0])) for arm in arms]
    ordered = [rows[name] for name in QUANTITIES if name in rows]
    return Table(columns, ordered, _caption(figures))


def _sweep_table(figures: list[Figure]) -> Table:
    """Set the points of a sweep below each other."""
    rows: dict[str, dict[str, str]] = {}
    columns = {'point': Column('point', figures[0].network)}
    for figure in figures:
        title = f'+ {figure.arm}'
        if figure.arm == BASELINE:
            title = QUANTITIES[figure.quantity].title
        key = f'{figure.quantity} {figure.arm}'
        columns[key] = Column(key, title)
        row = rows.setdefault(figure.point, dict(point=figure.point))
        row[key] = figure.text
    return Table(
        list(columns.values()), list(rows.values()), _caption(figures)
    )


def _caption(figures: Sequence[Figure]) -> str:
    """Tell what the settings of a table have in common."""
    words = [figure.setting.split(', ') for figure in figures]
    common = [w for w in words[0] if all(w in others for others in words)]
    points = {figure.point for figure in figures}
    if len(points) == 1:
        common = [*filter(None, points), *common]
    return f'{", ".join(common)}.'


def _named(arm: str, first: str) -> str:
    return f'+ {arm}' if first == BASELINE and arm != first else arm
