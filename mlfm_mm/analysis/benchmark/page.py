"""``docs/performance.md`` and the README's table, from the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .. import machine as machines
from .layout import titled_tables
from .limits import Judgement, judge, parse_limits
from .report import Report
from .runner_cost import RunnerCost, runner_table
from .suite import PARTS, Part

INTRODUCTION = """\
# Performance

What the memory costs, measured by `tools/benchmark.py`. This page and the
table of the README are written by `make pages` from the files in
[results/performance](results/performance); `make benchmark` measures what is
missing there, `python docs/measure_performance.py NAME` a part anew.

## How to read it

Each network is built twice from one config, with its `MLFMNeck` and without
it. All forms are timed in one process, in turns, each round in another order,
so that whatever drifts meets all of them alike. Ratios are of least times:
what other programs add does not belong to a network. A training step is a
forward pass, a backward pass and an update by SGD with momentum.

- **±**: the noise, the largest difference that chance was seen to make:
  between two measurements of the baseline in the same rounds, and between
  the halves of a network's own samples. A question mark says that it exceeds
  the difference: no verdict.
- **spread**: the middle half of the samples' range, over the median.
- **saved**: what autograd keeps for the backward pass, each storage once,
  without parameters and buffers.
- **peak**: the most that PyTorch held at once for a step, above what was
  there before.
- **floor**: what an inference takes at least, if each map is read and
  written once by each convolution, pooling or memory unit, at the speed at
  which the machine copies memory."""


WHAT_LIMITS = """\
## What limits

What is left of the cost of an inference on a CPU:

- **The gates' convolutions.** They add 5 % to a ResNet-18's multiply-adds, so
  5 % of its time is the least they take; and they read 3 channels, or 64 at
  the most expensive taps, which is too few to use a processor as well as the
  trunk does. To a ResNet-50, whose stages end in four times as many channels,
  they add a fifth.
- **New maps.** In inference a unit works in place and some images at a time.
  Behind a pooling, or an activation in place such as that of a ResNet's stem,
  it even writes over the map that it is given, if nobody else can see that.
  Yet the memory that waits for the next unit, and the maps of some images,
  come on top of what the network holds. Where the C library hands memory back
  to the system after each pass, their pages have to be found again, in some
  processes more of them than in others. glibc keeps its pages with
  `MALLOC_TRIM_THRESHOLD_=2000000000` and `MALLOC_MMAP_THRESHOLD_=1000000000`
  in the environment; allocators such as jemalloc do, too. No figure on this
  page was measured so.
- **Calls.** A unit is a score of operations of PyTorch, most of them small.
  `model.neck.fuse()` spares those that fold its norms in each pass.

In training the moments of the norms must be known before anything can be
normalized, so that each map is read twice; the backward pass computes the
gates once more instead of keeping their maps."""


class Results:
    """The results of the parts that were measured.

    Args:
        folder (Path): Where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        for part in PARTS:
            path = folder / f'{part.name}.json'
            if path.is_file():
                text = path.read_text(encoding='utf-8')
                self.files[part.name] = json.loads(text)

    def report(self, name: str) -> Report | None:
        """Read a part's report, if it was measured and has one."""
        content = self.files.get(name)
        if content is None or 'runner' in content:
            return None
        return Report.from_dict(content)


def write_page(folder: Path) -> str:
    """Write the page.

    Args:
        folder (Path): Where the results are; pictures are linked to as
            ``results/performance``.

    Returns:
        str: The page, with the parts that were measured.
    """
    results = Results(folder)
    parts = [INTRODUCTION]
    limits = limits_table(results)
    if limits:
        parts += ['## Limits', limits, WHAT_LIMITS]
    for part in PARTS:
        if part.name in results.files:
            pictured = (folder / f'{part.name}.png').is_file()
            parts += section(part, results, pictured)
    return '\n\n'.join(parts) + '\n'


def section(part: Part, results: Results, pictured: bool) -> list[str]:
    """Write about a part."""
    content = results.files[part.name]
    lines = [f'## {part.heading}', part.text]
    place = machines.sentence(content['machine'])
    report = results.report(part.name)
    if report is None:
        costs = [RunnerCost(**cost) for cost in content['runner']]
        return [*lines, runner_table(costs).markdown().strip(), f'{place}.']
    if pictured:
        path = f'results/performance/{part.name}.png'
        lines.append(f'![{part.heading}]({path})')
    for name, table in titled_tables(report):
        lines += [f'**{name}**', table.markdown().strip()]
    return [
        *lines,
        *report.notes,
        f'{report.header()}. `python tools/benchmark.py {part.options}`',
    ]


def limits_of(part: Part) -> dict[str, float]:
    """Find the limits in a part's options."""
    words = part.options.split()
    return parse_limits([w for w in words if '=' in w])


def judgements(results: Results) -> list[Judgement]:
    """Judge all parts that have limits."""
    found = []
    for part in PARTS:
        report = results.report(part.name)
        limits = limits_of(part)
        if report is not None and limits:
            found += judge(report.rows, limits)
    return found


def limits_table(results: Results) -> str:
    """Lay out what came of the limits."""
    lines = ['| limit | at most | measured | |', '|---|---:|---:|---|']
    found = judgements(results)
    for judgement in found:
        ratio = judgement.ratio
        noise = f' ±{100 * ratio.noise:.1f} %' if ratio.noise else ''
        lines.append(
            f'| {judgement.network}: {judgement.title} '
            f'| {judgement.limit:.2f} | {ratio.value:.2f}{noise} '
            f'| {judgement.word} |'
        )
    return '\n'.join(lines) if found else ''


# What the README tells of each network: the options of a limit.
README_PARTS = ('resnet18', 'resnet50', 'mobilenetv2', 'gpu_resnet18')
README_COLUMNS = {
    'infer': 'inference',
    'folded': 'inference, folded',
    'train': 'training',
    'with_cp': 'training, `with_cp`',
    'saved': 'saved',
    'saved_with_cp': 'saved, `with_cp`',
}


def readme_table(folder: Path) -> str:
    """Write the README's table of costs.

    Args:
        folder (Path): Where the results are.

    Returns:
        str: A row for each network that was measured, in units of the same
        network without memory, and a line that says where.
    """
    results = Results(folder)
    heads = ' | '.join(README_COLUMNS.values())
    lines = [f'| network | {heads} |', '|---|' + '---:|' * len(README_COLUMNS)]
    place = ''
    for part in PARTS:
        report = results.report(part.name)
        if part.name not in README_PARTS or report is None:
            continue
        cells = readme_cells(report)
        lines.append(f'| {part.heading} | {" | ".join(cells)} |')
        place = place or readme_place(report)
    if not place:
        return 'Not measured yet: `make benchmark`.'
    return '\n'.join([*lines, '', place])


def readme_cells(report: Report) -> list[str]:
    """Take from a report what the README tells."""
    # Of several settings, the first.
    first: dict[str, Judgement] = {}
    for judgement in judge(report.rows, dict.fromkeys(README_COLUMNS, 0.0)):
        first.setdefault(judgement.name, judgement)
    cells = []
    for name in README_COLUMNS:
        if name not in first:
            cells.append('-')
            continue
        ratio = first[name].ratio
        mark = '' if ratio.certain or not ratio.noise else ' ?'
        cells.append(f'x{ratio.value:.2f}{mark}')
    return cells


def readme_place(report: Report) -> str:
    """Say where the README's figures were measured."""
    setting = report.rows[0].setting
    height, width = setting.size
    return (
        f'{height}x{width}, batch {setting.batch}, {setting.dtype}, on '
        f'{machines.sentence(report.machine)}. Folded: against the network '
        'without memory whose norms are folded, too; saved: activations '
        'kept for the backward pass.'
    )
