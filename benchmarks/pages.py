"""The blocks of the README and of docs/performance.md, from the results."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlfm_mm.analysis.machine import sentence
from mlfm_mm.analysis.tables import markdown_table

from .figures import Report, tables
from .limits import judge
from .networks import MLFM
from .parts import Part, read_parts
from .timing import doubt

PAGE = 'docs/performance.md'
# What the README tells of each network: a title, the arm and the quantity.
README_PARTS = ('resnet18', 'resnet50', 'mobilenetv2')
README_COLUMNS = {
    'inference': (MLFM, 'infer'),
    'inference, folded': (MLFM, 'folded'),
    'training': (MLFM, 'train'),
    'training, `with_cp`': ('with_cp=True', 'train'),
    'saved': (MLFM, 'saved'),
    'saved, `with_cp`': ('with_cp=True', 'saved'),
}


def generate(root: Path) -> dict[str, str]:
    """Lay out the results.

    Args:
        root (Path): The top of the repository.

    Returns:
        dict[str, str]: Blocks of pages by the place where they stand.
    """
    parts = read_parts()
    reports = {name: part.read(root) for name, part in parts.items()}
    blocks = {
        'README.md#cost': readme_block(parts, reports),
        f'{PAGE}#limits': limits_block(parts, reports),
    }
    for name, report in reports.items():
        blocks[f'{PAGE}#{name}'] = part_block(name, report)
    return blocks


def part_block(name: str, report: Report | None) -> str:
    """Lay out all figures of a part."""
    if report is None:
        return f'Not measured yet: `python -m benchmarks.parts {name}`.'
    laid_out = [
        f'{markdown_table(table.columns, table.to_numpy())}\n\n{caption}'
        for table, caption in tables(report.figures)
    ]
    return '\n\n'.join([*laid_out, *report.ending()])


def limits_block(
    parts: dict[str, Part], reports: dict[str, Report | None]
) -> str:
    """Lay out what came of the limits."""
    rows = [
        (title, f'x{limit:.2f}', found, verdict)
        for name, report in reports.items()
        if report is not None
        for title, limit, found, verdict in judge(
            report.figures, parts[name].limits
        )
    ]
    return markdown_table(['limit', 'at most', 'found', ''], rows, 'lrrl')


def readme_block(
    parts: dict[str, Part], reports: dict[str, Report | None]
) -> str:
    """Lay out the README's table: a row for each network."""
    found = [(n, r) for n in README_PARTS if (r := reports[n]) is not None]
    if not found:
        return 'Not measured yet: `make benchmark`.'
    rows = [
        [parts[name].title, *_cells(report.figures)] for name, report in found
    ]
    table = markdown_table(['network', *README_COLUMNS], rows)
    _, report = found[0]
    batch, size, dtype, *_ = report.figures['setting'].iloc[0].split(', ')
    return (
        f'{table}\n\n{size}, {batch}, {dtype}, on {sentence(report.machine)}. '
        'Folded: against the network without memory whose norms are folded, '
        'too; saved: activations kept for the backward pass.'
    )


def _cells(figures: pd.DataFrame) -> list[str]:
    """Pick what the README tells, without the noise."""
    known = figures.set_index(['arm', 'quantity'])
    found = known.reindex([*README_COLUMNS.values()]).itertuples()
    return [
        '-'
        if pd.isna(figure.ratio)
        else f'x{figure.ratio:.2f}{doubt(figure.ratio, figure.noise)}'
        for figure in found
    ]
