r"""Measure what MLFM costs: time, memory, launches, bytes, multiply-adds.

Each config with an MLFMNeck is compared with the same network without it;
configs without one are compared with the first of them. All are timed in
turns, in one process. From the top of a clone, for instance

python -m benchmarks configs/mlfm/resnet18_in100.py
python -m benchmarks configs/mlfm/resnet18_in100.py --what infer folded
python -m benchmarks configs/mlfm/resnet18_in100.py --what train memory \
    --arms with_cp=True kernels=False
python -m benchmarks configs/mlfm/resnet18_in100.py --batch 1 4 16
python -m benchmarks configs/mlfm/resnet18_in100.py --vary depth 18 34 50
"""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from itertools import product
from pathlib import Path

# At import, the hosts print warnings about missing packages.
with (
    open(os.devnull, 'w') as nowhere,
    redirect_stdout(nowhere),
    redirect_stderr(nowhere),
):
    import pandas as pd
    import torch
    import yaml

    from mlfm_mm.analysis.machine import describe_machine
    from mlfm_mm.analysis.tables import markdown_table
    from mlfm_mm.engine import UsageError, one_sentence
    from mlfm_mm.engine.arguments import make_parser
    from mlfm_mm.engine.outputs import make_parent

    from .figures import Report, tables
    from .load import others_running
    from .measure import ASPECTS, Sheet
    from .networks import Group, make_groups, vary
    from .setting import DTYPES, LAYOUTS, MODES, Setting

# The settings that take several values, which are measured in turn.
CHOICES = {
    'batch': 'images in a batch',
    'size': 'images: HEIGHTxWIDTH, or one for both',
    'dtype': f'precisions, of {", ".join(DTYPES)}; others than fp32: autocast',
    'layout': f'memory formats, of {", ".join(LAYOUTS)}',
    'mode': 'eager, or compiled by torch.compile',
}
KNOWN = dict(dtype=tuple(DTYPES), layout=tuple(LAYOUTS), mode=MODES)


def benchmark_parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = make_parser(__doc__, 'python -m benchmarks')
    add_what(parser)
    for name, text in CHOICES.items():
        value = getattr(Setting(), name)
        parser.add_argument(
            f'--{name}',
            nargs='+',
            type=type(value),
            choices=KNOWN.get(name),
            default=[value],
            metavar=name.upper(),
            help=f'{text}; several are measured in turn (default: {value})',
        )
    add = parser.add_argument
    add('--device', default='cpu', help='cpu or cuda (default: cpu)')
    add('--repeats', type=int, default=10, help='rounds that count')
    add('--threads', type=int, help='threads of PyTorch')
    add('--markdown', action='store_true', help='print tables in Markdown')
    add(
        '--out',
        type=Path,
        default=Path('work_dirs/benchmark.json'),
        help='where to save all figures (default: %(default)s)',
    )
    return parser


def add_what(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is measured."""
    add = parser.add_argument
    add('configs', nargs='+', metavar='CONFIG')
    add(
        '--baseline',
        metavar='CONFIG',
        help='compare all configs, as they are, with this one (default: each '
        'with itself without memory)',
    )
    add(
        '--arms',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='options of MLFMNeck, each measured as a network of its own, '
        'such as with_cp=True, kernels=False for the plain formulas, or '
        'several of them, as in kernels=False+with_cp=True',
    )
    add(
        '--what',
        nargs='+',
        choices=ASPECTS,
        default=ASPECTS,
        metavar='ASPECT',
        help=f'what to measure, of {", ".join(ASPECTS)} (default: all)',
    )
    add(
        '--vary',
        nargs='+',
        metavar='WORD',
        help='options of the backbone, with commas between them, then the '
        'values to measure at; its head is left out',
    )


def points(
    args: argparse.Namespace, groups: Sequence[Group]
) -> Iterator[tuple[str, Group, Setting]]:
    """Yield all that is to be measured.

    Yields:
        tuple[str, Group, Setting]: The point of a sweep, or ``''``; the
        networks; how to run them.
    """
    choices = {name: getattr(args, name) for name in CHOICES}
    swept = [name for name, values in choices.items() if len(values) > 1]
    keys, *values = args.vary or ['', '']
    if not values:
        raise UsageError(
            f'--vary {keys}: give the values that it is to have, too'
        )
    for group, value in product(groups, values):
        words, varied = [], group
        if keys:
            words = [f'{keys.split(",")[0]} {value}']
            varied = vary(group, keys.split(','), yaml.safe_load(value))
        for chosen in product(*choices.values()):
            named = dict(zip(choices, chosen, strict=True))
            rest = [f'{name} {named[name]}' for name in swept]
            setting = Setting(device=args.device, **named)
            yield ', '.join([*words, *rest]), varied, setting


def run(args: argparse.Namespace, command: str) -> Report:
    """Measure all that was asked for; save after each point.

    Args:
        args (Namespace): The options.
        command (str): How it was called, for the report.

    Returns:
        Report: The figures.

    Raises:
        UsageError: An option is wrong.
    """
    if args.repeats < 2:
        raise UsageError(
            f'--repeats {args.repeats} is too small: give 2 or more, to '
            'estimate the noise'
        )
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    make_parent(args.out, '.json')
    groups = make_groups(args.configs, args.baseline, args.arms)
    sheets = [
        Sheet(group, setting, args.what, args.repeats, point)
        for point, group, setting in points(args, groups)
    ]
    load = round(others_running(), 2)
    machine = dict(describe_machine(args.device), load=load)
    report = Report(command, machine)
    for sheet in sheets:
        print(': '.join(filter(None, sheet.place)), flush=True)
        report.figures = pd.concat(
            [report.figures, sheet.fill()], ignore_index=True
        )
        report.save(args.out)
    return report


def show(report: Report, markdown: bool) -> None:
    """Print the tables."""
    for table, caption in tables(report.figures):
        if markdown:
            text = markdown_table(table.columns, table.to_numpy())
        else:
            text = table.to_string(index=False)
        print(f'\n{text}\n\n{caption}')
    print('\n'.join(report.ending()))


def quiet() -> None:
    """Silence the neck's tables of taps, and the compiler's warnings."""
    logging.disable(logging.WARNING)
    warnings.simplefilter('ignore')


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, show and save."""
    words = sys.argv[1:] if argv is None else argv
    args = benchmark_parser().parse_args(words)
    quiet()
    with one_sentence('benchmarks', f'{args.out} has each point that ended'):
        report = run(args, shlex.join(['python', '-m', 'benchmarks', *words]))
        show(report, args.markdown)
        print(f'Saved in {args.out}')


if __name__ == '__main__':
    main()
