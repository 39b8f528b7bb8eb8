"""What was measured, as tables, as a JSON file and as a picture."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from .. import machine as machines
from ..tables import Column, Table, si
from .measure import Row
from .setting import Setting
from .timing import spread

NOTHING = '-'


@dataclass
class Report:
    """All that a run of the benchmark has to tell.

    Args:
        command (str): How it was called.
        rows (list[Row]): What was measured.
        machine (dict): From :func:`machine.describe`.
        bandwidth (float): Bytes a second that the machine copies, read and
            written ones together.
        notes (list[str]): What was left out. Defaults to none.
        axis (str): What a sweep varies, one of ``AXES``. Defaults to '', no
            sweep.
    """

    command: str
    rows: list[Row]
    machine: dict[str, Any]
    bandwidth: float
    notes: list[str] = field(default_factory=list)
    axis: str = ''

    def header(self) -> str:
        """Say in a line where all this was measured."""
        return (
            f'{machines.sentence(self.machine)}; copies '
            f'{self.bandwidth / 1e9:.1f} GB/s; load {self.machine["load"]} '
            'at the start'
        )

    def as_dict(self) -> dict[str, Any]:
        """Give everything for a JSON file."""
        return dict(
            command=self.command,
            machine=self.machine,
            bandwidth=self.bandwidth,
            notes=self.notes,
            axis=self.axis,
            rows=[row.as_dict() for row in self.rows],
        )

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Report:
        """Read what :meth:`as_dict` gave."""
        rows = [Row.from_dict(row) for row in content['rows']]
        return cls(**{**content, 'rows': rows})


def read_report(path: Path) -> Report:
    """Read a report's JSON file."""
    return Report.from_dict(json.loads(path.read_text(encoding='utf-8')))


def together(rows: list[Row]) -> list[list[Row]]:
    """Split rows into those of one network and setting."""

    def key(row: Row) -> tuple[str, Setting]:
        return row.network, row.setting

    return [list(part) for _, part in groupby(rows, key)]


def title(rows: list[Row]) -> str:
    """Name the network and the setting of a table."""
    return f'{rows[0].network}: {rows[0].setting}'


def make_table(rows: list[Row], bandwidth: float) -> Table:
    """Set networks side by side.

    Args:
        rows (list[Row]): Of one network and setting, the baseline first.
        bandwidth (float): Bytes a second that the machine copies.

    Returns:
        Table: A row for each network.
    """
    setting = rows[0].setting
    columns = [
        Column('arm', rows[0].network),
        Column('min', 'min (ms)', milliseconds),
        Column('median', 'median', milliseconds),
        Column('spread', 'spread', percent),
        Column('ratio', 'x baseline'),
    ]
    if setting.folded:
        columns.append(Column('ratio_folded', 'x folded'))
    columns.append(Column('rate', 'images/s', '{:.1f}'.format))
    if setting.training:
        columns.append(Column('saved', 'saved (MB)', megabytes))
        columns.append(Column('saved_ratio', 'x saved', '{:.2f}'.format))
    columns.append(Column('peak', 'peak (MB)', megabytes))
    if not setting.training:
        columns.append(Column('floor', 'floor (ms)', milliseconds))
    cells = [row_cells(row, rows, bandwidth) for row in rows]
    return Table(columns, cells, caption(rows, bandwidth))


def size_table(rows: list[Row]) -> Table:
    """List parameters and multiply-adds, which no setting changes.

    Args:
        rows (list[Row]): All rows.

    Returns:
        Table: A row for each network.
    """
    columns = [
        Column('arm', 'network'),
        Column('params', 'params', si),
        Column('macs', 'MACs', si),
        Column('size', 'image'),
    ]
    cells = {}
    for row in rows:
        height, width = row.setting.size
        size = f'{height}x{width}'
        # All forms of the memory are of one size.
        if not row.folded and row.variant not in ('plain', 'with_cp'):
            cells[row.arm, size] = dict(
                arm=row.arm, params=row.params, macs=row.macs, size=size
            )
    text = 'MACs: of convolutions and linear layers, for one image.'
    return Table(columns, list(cells.values()), text)


def row_cells(row: Row, rows: list[Row], bandwidth: float) -> dict[str, Any]:
    """Take from a row what a table shows."""
    saved_ratio = 0.0
    if row.saved is not None and rows[0].saved:
        saved_ratio = row.saved / rows[0].saved
    folded = next((other for other in rows if other.folded), None)
    return dict(
        arm=row.arm.removeprefix(f'{row.network} '),
        min=row.least,
        median=median(row.seconds),
        spread=spread(row.seconds),
        ratio='1' if row is rows[0] else row.ratio.short,
        ratio_folded='1'
        if row is folded or row.ratio_folded is None
        else row.ratio_folded.short,
        rate=row.setting.batch / row.least,
        saved=row.saved,
        saved_ratio=saved_ratio,
        peak=row.peak,
        floor=None if row.floor is None else row.floor / bandwidth,
    )


def caption(rows: list[Row], bandwidth: float) -> str:
    """Say what one must know to read a table."""
    text = (
        f'{len(rows[0].seconds)} rounds in turns; the baseline, measured '
        f'twice, differs by {100 * rows[0].ratio.noise:.1f} %. A question '
        'mark: no verdict, the noise exceeds the difference.'
    )
    added = floor_added(rows)
    if added is None:
        return text
    least, taken = added[0] / bandwidth, added[1]
    return (
        f'{text} Of what the memory adds, {milliseconds(taken)} ms, the '
        f'bytes that must move take {milliseconds(least)} ms.'
    )


def floor_added(rows: list[Row]) -> tuple[int, float] | None:
    """Compare what the memory must move with the time it takes.

    Args:
        rows (list[Row]): Of one network and setting.

    Returns:
        tuple[int, float] | None: Bytes and seconds that it adds to the
        network with norms treated alike; None where that is not known.
    """
    by_kind = {(row.variant, row.folded): row for row in rows}
    folded = rows[0].setting.folded
    plain = by_kind.get(('baseline', folded))
    mlfm = by_kind.get(('mlfm', folded))
    if plain is None or mlfm is None:
        return None
    if plain.floor is None or mlfm.floor is None:
        return None
    return mlfm.floor - plain.floor, mlfm.least - plain.least


def milliseconds(seconds: float | None) -> str:
    """Write a time.

    Example:
        >>> milliseconds(0.0123), milliseconds(1.5), milliseconds(None)
        ('12.3', '1500', '-')
    """
    if seconds is None:
        return NOTHING
    return f'{seconds * 1e3:.3g}' if seconds < 1 else f'{seconds * 1e3:.0f}'


def megabytes(count: int | None) -> str:
    """Write a number of bytes.

    Example:
        >>> megabytes(12_340_000)
        '12.3'
    """
    return NOTHING if count is None else f'{count / 1e6:.1f}'


def percent(part: float) -> str:
    """Write a part of a whole.

    Example:
        >>> percent(0.031)
        '3.1 %'
    """
    return f'{100 * part:.1f} %'
