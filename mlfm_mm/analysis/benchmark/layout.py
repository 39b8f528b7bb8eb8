"""A report laid out for people."""

from __future__ import annotations

from ..tables import Table
from .report import Report, make_table, size_table, title, together
from .scaling import by_phase, sweep_table


def titled_tables(report: Report) -> list[tuple[str, Table]]:
    """Lay out the tables of a report.

    Args:
        report (Report): The report.

    Returns:
        list[tuple[str, Table]]: Titles and tables: one for each network and
        setting and one of the sizes, or for a sweep, one for each phase.
    """
    if report.axis:
        return [
            (f'Cost over {report.axis}', sweep_table(rows, report.axis))
            for rows in by_phase(report.rows)
        ]
    tables = [
        (title(rows), make_table(rows, report.bandwidth))
        for rows in together(report.rows)
    ]
    return [*tables, ('Sizes', size_table(report.rows))]


def markdown(report: Report) -> str:
    """Write a report as Markdown.

    Args:
        report (Report): The report.

    Returns:
        str: How it was called, where it was measured, and the tables.
    """
    parts = [f'`{report.command}`', f'{report.header()}.']
    for name, table in titled_tables(report):
        parts += [f'**{name}**', table.markdown().strip()]
    return '\n\n'.join([*parts, *report.notes]) + '\n'
