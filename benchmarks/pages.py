"""The blocks of the README and of docs/performance.md, from the results."""

from __future__ import annotations

from pathlib import Path

from mlfm_mm.analysis.tables import markdown_table

from .figures import Report, sentence, tables
from .limits import judge
from .networks import MLFM
from .parts import Part, read_parts
from .timing import doubt

PAGE = 'docs/performance.md'
# The README's table. Its rows: the parts of each network on a GPU and on a
# CPU. Its columns: device, arm and quantity.
GPU, CPU = 'GPU', 'CPU'
README_PARTS = {
    'ResNet-18': {GPU: 'gpu_resnet18', CPU: 'resnet18'},
    'ResNet-50': {GPU: 'gpu_resnet50', CPU: 'resnet50'},
    'MobileNetV2-1.0': {GPU: 'gpu_mobilenetv2', CPU: 'mobilenetv2'},
    'U-Net, 4 images of 512x1024': {GPU: 'gpu_unet'},
}
README_COLUMNS = {
    'GPU: inference': (GPU, MLFM, 'infer'),
    'GPU: training': (GPU, MLFM, 'train'),
    'GPU: saved': (GPU, MLFM, 'saved'),
    'CPU: inference': (CPU, MLFM, 'infer'),
    'CPU: training': (CPU, MLFM, 'train'),
    'CPU: saved': (CPU, MLFM, 'saved'),
    'CPU: saved, `with_cp`': (CPU, 'with_cp=True', 'saved'),
}


def generate(root: Path) -> dict[str, str]:
    """Lay out the results."""
    parts = read_parts()
    reports = {name: part.read(root) for name, part in parts.items()}
    blocks = {
        'README.md#cost': readme_block(reports),
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
    """Lay out the verdicts on the limits."""
    rows = [
        (title, f'x{limit:.2f}', found, verdict)
        for name, report in reports.items()
        if report is not None
        for title, limit, found, verdict in judge(
            report.figures, parts[name].limits
        )
    ]
    return markdown_table(['limit', 'at most', 'found', ''], rows, 'lrrl')


def readme_block(reports: dict[str, Report | None]) -> str:
    """Lay out the README's table: a row for each network."""
    rows, captions = [], dict[str, str]()
    for title, names in README_PARTS.items():
        found = {
            where: report
            for where, name in names.items()
            if (report := reports[name]) is not None
        }
        if found:
            cells = [
                _cell(found.get(where), *which)
                for where, *which in README_COLUMNS.values()
            ]
            rows.append([title, *cells])
        for where, report in found.items():
            captions.setdefault(where, f'{where}: {_setting(report)}.')
    if not rows:
        return 'Not measured yet: `make benchmark`.'
    table = markdown_table(['network', *README_COLUMNS], rows)
    return (
        f'{table}\n\n{" ".join(captions.values())} Saved: activations kept '
        'for the backward pass.'
    )


def _setting(report: Report) -> str:
    """Describe how and where a part was measured."""
    batch, size, dtype, *_ = report.figures['setting'].iloc[0].split(', ')
    return f'{size}, {batch}, {dtype}, on {sentence(report.machine)}'


def _cell(report: Report | None, arm: str, quantity: str) -> str:
    """Format a ratio, without its noise."""
    if report is None:
        return '-'
    known = report.figures.set_index(['arm', 'quantity'])
    if (arm, quantity) not in known.index:
        return '-'
    figure = known.loc[(arm, quantity)]
    return f'x{figure.ratio:.2f}{doubt(figure.ratio, figure.noise)}'
