"""One table, in four forms: terminal, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table as RichTable


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        key (str): The key of its values in the rows.
        title (str): Its heading.
        form (Callable): Formats a value. Defaults to ``str``.
        more (tuple[str, ...]): The keys of further values that ``form``
            takes, such as a deviation. Defaults to none.
        absent (str): What stands for None. Defaults to ``'-'``.
    """

    key: str
    title: str
    form: Callable[..., str] = str
    more: tuple[str, ...] = ()
    absent: str = '-'

    def cell(self, row: dict) -> str:
        """Format the value of a row."""
        if row[self.key] is None:
            return self.absent
        return self.form(*(row[key] for key in (self.key, *self.more)))


@dataclass(frozen=True)
class Table:
    """Rows of values, with a caption.

    Args:
        columns (list[Column]): The columns; the first names the rows.
        rows (list[dict]): Values by key: all, and raw, in CSV and JSON, those
            of the columns, formatted, elsewhere.
        caption (str): The text below, which explains the numbers.

    Example:
        >>> columns = [Column('name', 'network'), Column('n', 'params', si)]
        >>> rows = [dict(name='plain', n=1234567)]
        >>> print(Table(columns, rows, 'Sizes.').markdown())
        | network | params |
        |---|---:|
        | plain | 1.23 M |
        <BLANKLINE>
        Sizes.
        <BLANKLINE>
    """

    columns: list[Column]
    rows: list[dict[str, Any]]
    caption: str

    def only(self, *keys: str) -> Table:
        """Keep some of the columns, such as fit into a terminal.

        Args:
            *keys (str): Their keys.

        Returns:
            Table: The same rows and caption.

        Example:
            >>> columns = [Column('name', 'network'), Column('n', 'params')]
            >>> table = Table(columns, [dict(name='plain', n=1)], 'Sizes.')
            >>> table.only('n').cells()
            [['1']]
        """
        columns = [column for column in self.columns if column.key in keys]
        return Table(columns, self.rows, self.caption)

    def cells(self) -> list[list[str]]:
        """Format the values.

        Returns:
            list[list[str]]: A list of cells for each row.
        """
        return [[c.cell(row) for c in self.columns] for row in self.rows]

    def markdown(self) -> str:
        """Write the table as Markdown."""
        titles = [column.title for column in self.columns]
        table = markdown_table(titles, self.cells())
        return f'{table}\n\n{self.caption}\n'

    def rich(self) -> RichTable:
        """Lay out the table for a terminal."""
        table = RichTable(caption=escape(self.caption), caption_justify='left')
        for index, column in enumerate(self.columns):
            table.add_column(
                column.title, justify='right' if index else 'left'
            )
        for cells in self.cells():
            table.add_row(*map(escape, cells))
        return table

    def save(self, folder: Path, stem: str, **extra: object) -> None:
        """Write Markdown, CSV and JSON files.

        Args:
            folder (Path): Where to write.
            stem (str): The name of the files without their endings.
            **extra: More entries of the JSON file.
        """
        keys = dict.fromkeys(key for row in self.rows for key in row)
        (folder / f'{stem}.md').write_text(self.markdown(), encoding='utf-8')
        with open(folder / f'{stem}.csv', 'w', newline='') as file:
            writer = csv.DictWriter(file, [*keys], lineterminator='\n')
            writer.writeheader()
            writer.writerows(self.rows)
        content = dict(caption=self.caption, rows=self.rows, **extra)
        (folder / f'{stem}.json').write_text(
            json.dumps(content, indent=2) + '\n', encoding='utf-8'
        )


def markdown_table(
    titles: Sequence[str],
    rows: Iterable[Iterable[object]],
    align: str | None = None,
) -> str:
    """Write a table in Markdown.

    Args:
        titles (Sequence[str]): The headings of the columns.
        rows (Iterable[Iterable]): The cells of each row.
        align (str, optional): A letter for each column, ``'l'`` for left,
            ``'r'`` for right. Defaults to None: the first left, the others
            right.

    Returns:
        str: The table, without a trailing newline.

    Example:
        >>> print(markdown_table(['name', 'n'], [['a', 1], ['b', 2]]))
        | name | n |
        |---|---:|
        | a | 1 |
        | b | 2 |
    """
    align = align or 'l' + 'r' * (len(titles) - 1)
    rule = ''.join('---:|' if side == 'r' else '---|' for side in align)
    lines = [f'| {" | ".join(map(str, row))} |' for row in (titles, *rows)]
    return '\n'.join([lines[0], f'|{rule}', *lines[1:]])


def si(value: float) -> str:
    """Format a large number with an SI prefix.

    Args:
        value (float): The number, not negative.

    Returns:
        str: Three digits and k, M or G.

    Example:
        >>> si(950), si(11_190_000), si(35_600_000_000)
        ('950', '11.2 M', '35.6 G')
    """
    for size, letter in ((1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
        if value >= size:
            scaled = value / size
            digits = 2 if scaled < 10 else 1 if scaled < 100 else 0
            return f'{scaled:.{digits}f} {letter}'
    return f'{value:.0f}'
