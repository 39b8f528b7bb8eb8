"""Train the networks of a plan, seed by seed, and record how each ended.

A run that has a record is skipped and one that was interrupted is resumed, so
that the same command goes on where the last one stopped. Each run is a process
of its own, in work_dirs/evidence/PLAN/ARM_sSEED; its record is added to
docs/results/evidence/PLAN.jsonl as it ends.
"""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from rich.console import Console

# A clone need not be installed: its package lies beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mlfm_mm.analysis.evidence import read_plan
from mlfm_mm.analysis.evidence.running import run_plan, tell_state
from mlfm_mm.engine import one_sentence
from mlfm_mm.engine.arguments import make_parser, positive

TOP = Path(__file__).resolve().parents[1]
# A clone has records; an installed package would lose them.
HOME = TOP if (TOP / 'docs').is_dir() else Path()
RESULTS = HOME / 'docs/results/evidence'


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('plan', help='such as configs/evidence/tiny20.py')
    parser.add_argument(
        '--jobs',
        type=positive,
        default=1,
        metavar='N',
        help='runs side by side, each with one CPU thread (default: 1)',
    )
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=Path('work_dirs/evidence'),
        metavar='DIR',
        help='where the runs write (default: %(default)s)',
    )
    parser.add_argument(
        '--results',
        type=Path,
        default=RESULTS,
        metavar='DIR',
        help='where the records go (default: docs/results/evidence)',
    )
    parser.add_argument(
        '--status',
        action='store_true',
        help='say how far the plan is, and train nothing',
    )
    return parser.parse_args()


def leave(number: int, frame: FrameType | None) -> None:
    """Exit at a signal, which ends the runs, too."""
    sys.exit(f'evidence.py: ended by {signal.Signals(number).name}')


def main() -> None:
    """Do what the command line asks."""
    args = parse_args()
    console = Console(highlight=False, soft_wrap=True)
    with one_sentence('evidence.py', 'the same command goes on'):
        plan = read_plan(args.plan)
        folder = args.work_dir / plan.name
        records = args.results / f'{plan.name}.jsonl'
        signal.signal(signal.SIGTERM, leave)
        tell_state(plan, folder, records, console)
        if not args.status:
            run_plan(plan, args.jobs, folder, records, console)


if __name__ == '__main__':
    main()
