r"""Measure what MLFM costs: time, memory, parameters, multiply-adds.

Each config with an MLFMNeck is compared with the same network without it, and
with a plain formulation of the memory kept in tests/; configs without one are
compared with the first of them. All are timed in turns, in one process. For
instance

python tools/benchmark.py configs/mlfm/resnet18_in100.py
python tools/benchmark.py configs/mlfm/resnet18_in100.py --phase infer --fuse
python tools/benchmark.py configs/mlfm/resnet18_in100.py --phase train \
    --with-cp --dtype fp32 bf16 --limit train=1.3 saved=1.6
python tools/benchmark.py configs/mlfm/resnet18_in100.py --scale size --batch 1
python tools/benchmark.py configs/mlfm/resnet18_w16_digits.py --runner
"""

import argparse
import os
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from pathlib import Path

# Threads that wait in a loop for one another stop each other for seconds
# where cores are shared with other programs: let GNU OpenMP, which reads
# this when PyTorch is imported, soon send them to sleep.
os.environ.setdefault('GOMP_SPINCOUNT', '3000')

# A clone need not be installed: its package lies beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

NEEDED = ('torch', 'mmengine', 'mmcv', 'matplotlib', 'rich')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('configs', nargs='+', metavar='CONFIG', help='config files')
    add(
        '--baseline',
        metavar='CONFIG',
        help='compare all configs with this one (default: each with itself '
        'without memory)',
    )
    add(
        '--no-plain',
        dest='plain',
        action='store_false',
        help='leave out the plain formulation of the memory',
    )
    add(
        '--with-cp',
        action='store_true',
        help='add the network that recomputes its units in training',
    )
    add(
        '--fuse',
        action='store_true',
        help='add inference with norms folded into convolutions, compared '
        'with the baseline as it is and with its norms folded',
    )
    add_choices(parser)
    add(
        '--device',
        default='cpu',
        help='cpu or cuda (default: %(default)s)',
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
        '--scale',
        choices=('size', 'batch', 'width', 'depth'),
        help='vary this, and draw the cost over it',
    )
    add(
        '--points',
        nargs='+',
        type=float,
        metavar='X',
        help='where to measure with --scale',
    )
    add(
        '--runner',
        action='store_true',
        help='measure what data and Runner add to a training step instead; '
        'the data of the config must be there',
    )
    add(
        '--limit',
        nargs='+',
        default=[],
        metavar='NAME=RATIO',
        help='judge by limits, and fail where one is missed; names: infer, '
        'folded, train, with_cp, saved, saved_with_cp',
    )
    add(
        '--out',
        type=Path,
        default=Path('work_dirs/benchmark'),
        metavar='DIR',
        help='where to save JSON, CSV, Markdown and pictures (default: '
        '%(default)s)',
    )
    add(
        '--stem',
        default='benchmark',
        help='name of the saved files (default: %(default)s)',
    )
    add(
        '--markdown',
        action='store_true',
        help='print Markdown instead of a table for the terminal',
    )
    return parser.parse_args()


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Add the options of which several can be given."""
    add = parser.add_argument
    add(
        '--phase',
        nargs='+',
        choices=('infer', 'train'),
        default=['infer', 'train'],
        help='what to time (default: both)',
    )
    add(
        '--batch',
        nargs='+',
        type=int,
        default=[4],
        metavar='N',
        help='images in a batch (default: 4)',
    )
    add(
        '--size',
        nargs='+',
        type=int,
        default=[256],
        metavar='PIXELS',
        help='height and width of the images, or one for both (default: 256)',
    )
    add(
        '--dtype',
        nargs='+',
        choices=('fp32', 'bf16'),
        default=['fp32'],
        help='precisions; bf16 is autocast (default: fp32)',
    )
    add(
        '--layout',
        nargs='+',
        choices=('contiguous', 'channels_last'),
        default=['contiguous'],
        help='memory formats (default: contiguous)',
    )
    add(
        '--mode',
        nargs='+',
        choices=('eager', 'compiled'),
        default=['eager'],
        help='as it is, or by torch.compile (default: eager)',
    )


def check_packages() -> None:
    """Stop with one line where a package is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        sys.exit(
            f'benchmark.py: Python packages are missing '
            f'({", ".join(missing)}): run make venv, or pip install '
            "'mlfm_mm[onedl,quickstart]'"
        )


def main() -> None:
    """Measure."""
    args = vars(parse_args())
    check_packages()
    # Only now, so that a missing package gets the message above; and out of
    # sight, because the hosts print what they do without.
    with (
        open(os.devnull, 'w') as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
    ):
        from mlfm_mm.analysis.benchmark.main import run
        from mlfm_mm.engine import UsageError

    words = ['python', 'tools/benchmark.py', *sys.argv[1:]]
    try:
        sys.exit(run(args, shlex.join(words)))
    except UsageError as error:
        sys.exit(f'benchmark.py: {error}')
    except KeyboardInterrupt:
        sys.exit('benchmark.py: interrupted; nothing was saved')


if __name__ == '__main__':
    main()
