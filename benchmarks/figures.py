"""The figures of a benchmark: their file, and their tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mlfm_mm.analysis.machine import Machine, place
from mlfm_mm.analysis.tables import si

from .load import busy
from .networks import BASELINE
from .timing import ratio_text


def _milliseconds(value: float) -> str:
    return f'{1e3 * value:.3g} ms'


def _megabytes(value: float) -> str:
    return f'{value / 1e6:.1f} MB'


# What is measured or counted: its title, and the format of its values.
QUANTITIES: dict[str, tuple[str, Callable[[float], str]]] = {
    'infer': ('inference', _milliseconds),
    'folded': ('inference, norms folded', _milliseconds),
    'deployed': (
        'inference, norms folded, against norms as they were',
        _milliseconds,
    ),
    'train': ('training step', _milliseconds),
    'saved': ('saved activations', _megabytes),
    'peak_infer': ('peak of memory, inference', _megabytes),
    'peak_train': ('peak of memory, training step', _megabytes),
    'launches_infer': ('launches, inference', si),
    'bytes_infer': ('bytes, inference', _megabytes),
    'launches_train': ('launches, training step', si),
    'bytes_train': ('bytes, training step', _megabytes),
    'kernels_infer': ('compiled kernels, inference', si),
    'kernels_train': ('compiled kernels, training step', si),
    'params': ('parameters', si),
    'macs': ('MACs for an image', si),
}
# A figure: the networks that are compared, the point of a sweep ('batch 8'),
# how they were run, the network among them, the quantity, its value in
# seconds, bytes or a number; the ratio to the first network, which has none
# itself, and the relative noise of the ratio, 0 for what is counted.
COLUMNS = (
    'network', 'point', 'setting', 'arm', 'quantity', 'value', 'ratio',
    'noise',
)  # fmt: skip


@dataclass
class Report:
    """The results of a run of the benchmark.

    Args:
        command (str): How it was called.
        machine (dict): From :func:`mlfm_mm.analysis.machine.describe_machine`,
            and how many other programs ran, under ``'load'``.
        figures (DataFrame): The figures, with ``COLUMNS``. Defaults to
            none.
    """

    command: str
    machine: Machine
    figures: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=COLUMNS)
    )

    def save(self, path: Path) -> None:
        """Write everything as JSON, a figure on a line."""
        path.parent.mkdir(parents=True, exist_ok=True)
        head = dict(command=self.command, machine=self.machine)
        lines = self.figures.to_json(
            orient='records', lines=True, double_precision=15
        )
        rows = ',\n  '.join(lines.splitlines())
        text = f'{json.dumps(head, indent=1)[:-2]},\n "figures": [\n  {rows}'
        path.write_text(f'{text}\n ]\n}}\n', encoding='utf-8')

    @classmethod
    def read(cls, path: Path) -> Report:
        """Read what :meth:`save` wrote."""
        content = json.loads(path.read_text(encoding='utf-8'))
        rows = content.pop('figures')
        return cls(figures=pd.DataFrame(rows, columns=COLUMNS), **content)

    def ending(self) -> list[str]:
        """Say how it was measured, after a warning where that was noisy."""
        # What is only counted has no noise.
        noisy = self.figures['noise'].any() and busy(self.machine)
        place = f'{sentence(self.machine)}. `{self.command}`'
        return [noisy, place] if noisy else [place]


def sentence(machine: Machine) -> str:
    """Say in a sentence where, with what and when something was measured.

    Args:
        machine (dict): From :func:`mlfm_mm.analysis.machine.describe_machine`.

    Returns:
        str: The sentence, without a full stop.

    Example:
        >>> versions = dict(torch='2.12.1', mlfm_mm='1.0')
        >>> sentence(dict(gpu='G', versions=versions, date='2026-01-01'))
        'G; torch 2.12.1, mlfm_mm 1.0; 2026-01-01'
    """
    versions = ', '.join(
        f'{name} {machine["versions"][name]}' for name in ('torch', 'mlfm_mm')
    )
    return f'{place(machine)}; {versions}; {machine["date"]}'


def tables(figures: pd.DataFrame) -> list[tuple[pd.DataFrame, str]]:
    """Lay out figures as tables of text, with captions.

    A sweep of one or two quantities has a row for each point; else each
    network and setting has a table, with a row for each quantity.
    """
    order = {name: place for place, name in enumerate(QUANTITIES)}
    shown = figures.sort_values(
        'quantity', key=lambda names: names.map(order), kind='stable'
    )
    shown['text'] = [text_of(figure) for figure in shown.itertuples()]
    shown['title'] = [QUANTITIES[name][0] for name in shown['quantity']]
    plain = shown['arm'] == BASELINE
    plus = '+ ' if plain.any() else ''
    head = shown['arm'].where(plain, plus + shown['arm'])
    if figures['point'].any() and figures['quantity'].nunique() <= 2:
        keys, rows = ['network'], 'point'
        head = shown['title'].where(plain, head)
        shown['column'] = shown['quantity'] + shown['arm']
    else:
        keys, rows = ['network', 'setting', 'point'], 'title'
        shown['column'] = shown['arm']
    shown['head'] = head
    return [_table(g, rows) for _, g in shown.groupby(keys, sort=False)]


def text_of(figure: pd.Series) -> str:
    """Format the value of a baseline, the ratio of others."""
    if pd.isna(figure.ratio):
        return QUANTITIES[figure.quantity][1](figure.value)
    return ratio_text(figure.ratio, figure.noise)


def _table(figures: pd.DataFrame, rows: str) -> tuple[pd.DataFrame, str]:
    """Lay out a table; its caption is what its settings have in common."""
    heads = dict(zip(figures['column'], figures['head'], strict=True))
    cells = figures.pivot(index=rows, columns='column', values='text')
    cells = cells.loc[figures[rows].unique(), [*heads]].fillna('')
    cells.columns = [*heads.values()]
    words = [setting.split(', ') for setting in figures['setting'].unique()]
    common = [w for w in words[0] if all(w in others for others in words)]
    points = figures['point'].unique()
    if len(points) == 1 and points[0]:
        common.insert(0, points[0])
    named = cells.rename_axis(figures['network'].iloc[0]).reset_index()
    return named, f'{", ".join(common)}.'
