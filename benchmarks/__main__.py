r"""Measure what MLFM costs: time, memory, launches, bytes, multiply-adds.

Each config with an MLFMNeck is compared with the same network without it;
configs without one are compared with the first of them. All are timed in
turns, in one process. From the top of a clone, for instance

python -m benchmarks configs/mlfm/resnet18_in100.py
python -m benchmarks configs/mlfm/resnet18_in100.py --what infer folded
python -m benchmarks configs/mlfm/resnet18_in100.py --what train memory \
    --arms with_cp=True kernels=False --limit train=1.3 with_cp=True:saved=1.4
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
from typing import Any

# The hosts print at import what they do without.
with (
    open(os.devnull, 'w') as nowhere,
    redirect_stdout(nowhere),
    redirect_stderr(nowhere),
):
    import torch
    import yaml
    from rich.console import Console

    from mlfm_mm.analysis.machine import describe_machine
    from mlfm_mm.engine import UsageError

    from .figures import Report, tables
    from .limits import judge, parse_limits
    from .measure import ASPECTS, Sheet
    from .networks import Group, make_groups, vary
    from .setting import DTYPES, LAYOUTS, MODES, Setting

# Columns of a file that takes the place of a terminal.
WIDTH = 110
# Print a line as it is.
PLAIN: dict[str, Any] = dict(highlight=False, markup=False, soft_wrap=True)
# The settings of which several values can be given, and measured in turn.
CHOICES = {
    'batch': 'images in a batch',
    'size': 'images: HEIGHTxWIDTH, or one for both',
    'dtype': f'precisions, of {", ".join(DTYPES)}; others than fp32: autocast',
    'layout': f'memory formats, of {", ".join(LAYOUTS)}',
    'mode': 'eager, or compiled by torch.compile',
}
KNOWN = dict(dtype=tuple(DTYPES), layout=tuple(LAYOUTS), mode=MODES)
# All others: what stands for the value, what it is for, how it is read.
OPTIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    'configs': ('CONFIG', 'config files', dict(nargs='+')),
    '--baseline': (
        'CONFIG',
        'compare all configs, as they are, with this one (default: each with '
        'itself without memory)',
        {},
    ),
    '--arms': (
        'KEY=VALUE',
        'options of MLFMNeck, each measured as a network of its own, such as '
        'with_cp=True, or kernels=False for the plain formulas',
        dict(nargs='+', default=[]),
    ),
    '--what': (
        'ASPECT',
        f'what to measure, of {", ".join(ASPECTS)} (default: all)',
        dict(nargs='+', choices=ASPECTS, default=list(ASPECTS)),
    ),
    '--vary': (
        'WORD',
        'options of the backbone, with commas between them, then the values '
        'to measure at; its head is left out',
        dict(nargs='+', default=[]),
    ),
    '--device': ('DEVICE', 'cpu or cuda (default: cpu)', dict(default='cpu')),
    '--repeats': (
        'N',
        'rounds that count (default: 10)',
        dict(type=int, default=10),
    ),
    '--threads': ('N', 'threads of PyTorch', dict(type=int)),
    '--limit': (
        '[ARM:]QUANTITY=RATIO',
        'judge by limits, and fail where one is missed',
        dict(nargs='+', default=[]),
    ),
    '--out': (
        'FILE',
        'where to save all figures (default: %(default)s)',
        dict(type=Path, default=Path('work_dirs/benchmark.json')),
    ),
}


def make_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, (metavar, text, options) in OPTIONS.items():
        parser.add_argument(name, metavar=metavar, help=text, **options)
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
    parser.add_argument(
        '--markdown',
        action='store_true',
        help='print Markdown instead of tables for the terminal',
    )
    return parser


def points(
    args: argparse.Namespace, groups: Sequence[Group]
) -> Iterator[tuple[str, Group, Setting]]:
    """Go through all that is to be measured.

    Yields:
        tuple[str, Group, Setting]: What differs from other points of a
        sweep, or ``''``; the networks; how to run them.
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


def run(args: argparse.Namespace, command: str, console: Console) -> Report:
    """Measure all that was asked for; save after each point.

    Args:
        args (Namespace): The options.
        command (str): How it was called, for the report.
        console (Console): Where to tell how it goes.

    Returns:
        Report: What was found.

    Raises:
        UsageError: An option is wrong.
    """
    if args.repeats < 2:
        raise UsageError(
            f'--repeats {args.repeats} is too small: a noise can be seen '
            'from 2 rounds on'
        )
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    groups = make_groups(args.configs, args.baseline, args.arms)
    sheets = [
        Sheet(group, setting, args.what, args.repeats, point)
        for point, group, setting in points(args, groups)
    ]
    report = Report(command, describe_machine(args.device))
    for sheet in sheets:
        label = [sheet.group.name, sheet.point, str(sheet.setting)]
        console.print(': '.join(filter(None, label)), **PLAIN)
        report.figures += sheet.fill()
        report.save(args.out)
    return report


def show(report: Report, console: Console, markdown: bool) -> None:
    """Print the tables."""
    for table in tables(report.figures):
        print()
        if markdown:
            print(table.markdown())
        else:
            console.print(table.rich())
    for line in report.ending():
        console.print(line, **PLAIN)


def quiet() -> None:
    """Silence the neck's tables of taps, and the compiler's warnings."""
    logging.disable(logging.WARNING)
    warnings.simplefilter('ignore')


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, show, save and judge."""
    words = sys.argv[1:] if argv is None else argv
    args = make_parser().parse_args(words)
    quiet()
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console.width = WIDTH
    command = shlex.join(['python', '-m', 'benchmarks', *words])
    try:
        limits = parse_limits(args.limit)
        report = run(args, command, console)
    except UsageError as error:
        sys.exit(f'benchmarks: {error}')
    except KeyboardInterrupt:
        sys.exit(f'benchmarks: interrupted; {args.out} has what was finished')
    show(report, console, args.markdown)
    judgements = judge(report.figures, limits)
    for judgement in judgements:
        console.print(str(judgement), **PLAIN)
    console.print(f'Saved in {args.out}', **PLAIN)
    sys.exit(int(any(j.word == 'missed' for j in judgements)))


if __name__ == '__main__':
    main()
