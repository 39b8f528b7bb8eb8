"""Measure what docs/performance.md reports, then write it.

    python docs/measure_performance.py             what is not there yet
    python docs/measure_performance.py resnet18    this part anew
    python docs/measure_performance.py --all       everything anew

On two cores it takes about 20 minutes, in which the machine should have
nothing else to do. Stopped half-way, it goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A clone need not be installed.
sys.path.insert(0, str(ROOT))
# Its neighbour, also when it is not run as a script.
sys.path.insert(0, str(ROOT / 'docs'))

from write_performance import FOLDER, write  # noqa: E402

from mlfm_mm.analysis.benchmark.suite import (  # noqa: E402
    PARTS,
    choose,
    measure_parts,
)
from mlfm_mm.engine import UsageError  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'parts',
        nargs='*',
        metavar='PART',
        help=f'what to measure anew: {", ".join(part.name for part in PARTS)}',
    )
    parser.add_argument(
        '--all', action='store_true', help='measure everything anew'
    )
    return parser.parse_args()


def main() -> None:
    """Measure."""
    args = parse_args()
    try:
        parts = choose(args.parts, FOLDER, args.all)
        measure_parts(parts, ROOT, FOLDER)
    except UsageError as error:
        sys.exit(f'measure_performance.py: {error}')
    except KeyboardInterrupt:
        sys.exit('measure_performance.py: interrupted; run it again to go on')
    write()


if __name__ == '__main__':
    main()
