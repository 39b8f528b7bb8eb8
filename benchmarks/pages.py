"""The blocks of the README and of docs/performance.md, from the results."""

from __future__ import annotations

from pathlib import Path

from mlfm_mm.analysis.machine import sentence
from mlfm_mm.analysis.tables import markdown_table

from .figures import Figure, Report, tables
from .limits import judge
from .networks import MLFM
from .parts import Part, read_parts

PAGE = 'docs/performance.md'
# What the README tells of each network: a title, the arm and the quantity.
README_PARTS = ('resnet18', 'resnet50', 'mobilenetv2')
README_COLUMNS = (
    ('inference', MLFM, 'infer'),
    ('inference, folded', MLFM, 'folded'),
    ('training', MLFM, 'train'),
    ('training, `with_cp`', 'with_cp=True', 'train'),
    ('saved', MLFM, 'saved'),
    ('saved, `with_cp`', 'with_cp=True', 'saved'),
)


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
    for name, part in parts.items():
        blocks[f'{PAGE}#{name}'] = part_block(part, reports[name])
    return blocks


def part_block(part: Part, report: Report | None) -> str:
    """Lay out all figures of a part."""
    if report is None:
        return f'Not measured yet: `python -m benchmarks.parts {part.name}`.'
    laid_out = [t.markdown().strip() for t in tables(report.figures)]
    return '\n\n'.join([*laid_out, *report.ending()])


def limits_block(
    parts: dict[str, Part], reports: dict[str, Report | None]
) -> str:
    """Lay out what came of the limits."""
    rows = [
        (found.title, f'x{found.limit:.2f}', found.ratio, found.word)
        for name, report in reports.items()
        if report is not None
        for found in judge(report.figures, parts[name].limits)
    ]
    return markdown_table(['limit', 'at most', 'found', ''], rows, 'lrrl')


def readme_block(
    parts: dict[str, Part], reports: dict[str, Report | None]
) -> str:
    """Lay out the README's table: a row for each network."""
    rows, places = [], []
    for name in README_PARTS:
        report = reports[name]
        if report is not None:
            rows.append([parts[name].title, *_cells(report.figures)])
            places.append(_place(report))
    if not rows:
        return 'Not measured yet: `make benchmark`.'
    titles = ['network', *(title for title, _, _ in README_COLUMNS)]
    return f'{markdown_table(titles, rows)}\n\n{places[0]}'


def _cells(figures: list[Figure]) -> list[str]:
    """Pick what the README tells, without the noise."""
    ratios = {(f.arm, f.quantity): f.ratio for f in figures}
    cells = []
    for _, arm, quantity in README_COLUMNS:
        ratio = ratios.get((arm, quantity))
        if ratio is None:
            cells.append('-')
            continue
        mark = '' if ratio.certain else ' ?'
        cells.append(f'x{ratio.value:.2f}{mark}')
    return cells


def _place(report: Report) -> str:
    """Say where the README's figures were measured."""
    batch, size, dtype, *_ = report.figures[0].setting.split(', ')
    return (
        f'{size}, {batch}, {dtype}, on {sentence(report.machine)}. Folded: '
        'against the network without memory whose norms are folded, too; '
        'saved: activations kept for the backward pass.'
    )
