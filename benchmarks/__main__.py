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
# The settings of which several values can be given, and measured in turn.
CHOICES = ('batch', 'size', 'dtype', 'layout', 'mode')


def make_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('configs', nargs='+', metavar='CONFIG', help='config files')
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
        'such as with_cp=True, or kernels=False for the plain formulas',
    )
    add(
        '--what',
        nargs='+',
        choices=ASPECTS,
        default=list(ASPECTS),
        help='what to measure (default: all)',
    )
    add_settings(parser)
    add(
        '--vary',
        nargs='+',
        metavar=('KEY[,KEY]', 'VALUE'),
        help='options of the backbone, and the values to measure at; its '
        'head is left out',
    )
    add(
        '--repeats',
        type=int,
        default=10,
        metavar='N',
        help='rounds that count (default: %(default)s)',
    )
    add('--threads', type=int, metavar='N', help='threads of PyTorch')
    add(
        '--limit',
        nargs='+',
        default=[],
        metavar='[ARM:]QUANTITY=RATIO',
        help='judge by limits, and fail where one is missed',
    )
    add(
        '--out',
        type=Path,
        default=Path('work_dirs/benchmark.json'),
        metavar='FILE',
        help='where to save all figures (default: %(default)s)',
    )
    add(
        '--markdown',
        action='store_true',
        help='print Markdown instead of tables for the terminal',
    )
    return parser


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add how the networks are run."""
    default = Setting()
    for name, kind, known, text in (
        ('batch', int, None, 'images in a batch'),
        ('size', str, None, 'images: HEIGHTxWIDTH, or one for both'),
        ('dtype', str, DTYPES, 'precisions, other than fp32 by autocast'),
        ('layout', str, LAYOUTS, 'memory formats'),
        ('mode', str, MODES, 'as it is, or by torch.compile'),
    ):
        value = getattr(default, name)
        parser.add_argument(
            f'--{name}',
            nargs='+',
            type=kind,
            choices=known,
            default=[value],
            help=f'{text}; several are measured in turn (default: {value})',
        )
    parser.add_argument(
        '--device', default='cpu', help='cpu or cuda (default: %(default)s)'
    )


def points(
    args: argparse.Namespace, groups: Sequence[Group]
) -> Iterator[tuple[str, Group, Setting]]:
    """Go through all that is to be measured.

    Args:
        args (Namespace): The options.
        groups (Sequence[Group]): The networks.

    Yields:
        tuple[str, Group, Setting]: What differs from other points of a
        sweep, or ``''``; the networks; how to run them.

    Raises:
        UsageError: There is nothing to vary, or a setting is wrong.
    """
    choices = {name: getattr(args, name) for name in CHOICES}
    swept = [name for name, values in choices.items() if len(values) > 1]
    keys, *values = args.vary or ['', '']
    if not values:
        raise UsageError(
            f'--vary {keys}: give the values that it is to have, too'
        )
    for group, value in product(groups, values):
        varied = group
        if keys:
            number = yaml.safe_load(value)
            varied = vary(group, keys.split(','), number)
        for chosen in product(*choices.values()):
            named = dict(zip(choices, chosen, strict=True))
            words = [f'{keys.split(",")[0]} {value}'] if keys else []
            words += [f'{name} {named[name]}' for name in swept]
            setting = Setting(device=args.device, **named)
            yield ', '.join(words), varied, setting


def run(args: argparse.Namespace, command: str, console: Console) -> Report:
    """Measure all that was asked for, and save it.

    Args:
        args (Namespace): The options.
        command (str): How it was called, for the report.
        console (Console): Where to tell how it goes.

    Returns:
        Report: What was found; it is saved after each point.

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
    plan = list(points(args, groups))
    report = Report(command, describe_machine(args.device))
    for point, group, setting in plan:
        label = (
            f'{group.name}: {", ".join(filter(None, [point, str(setting)]))}'
        )
        console.print(label, highlight=False, markup=False, soft_wrap=True)
        sheet = Sheet(group, setting, args.what, args.repeats, point)
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
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def quiet() -> None:
    """Silence what would stand between the tables.

    The neck tells its taps whenever it is built, and the compiler warns of
    a GPU that is not there.
    """
    logging.disable(logging.WARNING)
    warnings.simplefilter('ignore')


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, show, save and judge.

    Args:
        argv (Sequence[str], optional): The options. Defaults to None, those
            of the command line.
    """
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
        console.print(str(judgement), highlight=False, soft_wrap=True)
    console.print(f'Saved in {args.out}', highlight=False, soft_wrap=True)
    sys.exit(int(any(j.word == 'missed' for j in judgements)))


if __name__ == '__main__':
    main()
