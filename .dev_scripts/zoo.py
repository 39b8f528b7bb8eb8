"""Update the figures of the model zoo.

python .dev_scripts/zoo.py costs            count params and MACs
python .dev_scripts/zoo.py costs WORD ...   of configs with WORD in the path
python .dev_scripts/zoo.py results DIR ...  collect results of training runs

They go to configs/zoo/, from which `make docs` writes the metafiles,
model-index.yml and the tables.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mlfm_mm.engine.arguments import make_parser
from model_zoo import read_records
from model_zoo.costs import count_all
from model_zoo.metafiles import metafiles
from model_zoo.records import COSTS, MEASURED, read_published
from model_zoo.runs import collect
from model_zoo.tables import blocks

ROOT = Path(__file__).resolve().parents[1]


def generate(root: Path) -> dict[str, str]:
    """Write the files and tables about the zoo, for ``pages.py``."""
    records = read_records(root)
    return {**metafiles(records), **blocks(records, read_published(root))}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    commands = parser.add_subparsers(dest='command', required=True)
    costs = commands.add_parser('costs', help='count params and MACs')
    costs.add_argument(
        'words',
        nargs='*',
        metavar='WORD',
        help='count only configs with one of these words in their paths',
    )
    results = commands.add_parser('results', help='collect results of runs')
    results.add_argument(
        'work_dirs',
        nargs='+',
        type=Path,
        metavar='DIR',
        help='work folders of tools/train.py',
    )
    return parser.parse_args()


def main() -> None:
    """Count, or collect."""
    args = parse_args()
    # Each neck logs its taps when it is built.
    logging.disable(logging.INFO)
    rows: Mapping[str, object]
    try:
        if args.command == 'costs':
            report = partial(print, flush=True)
            name, rows = COSTS, count_all(ROOT, report, args.words)
        else:
            name, rows = MEASURED, collect(ROOT, args.work_dirs)
    except ValueError as error:
        sys.exit(f'zoo.py: {error}')
    (ROOT / name).write_text(json.dumps(rows, indent=2) + '\n', 'utf-8')
    print(f'wrote {name}; now run: make docs')


if __name__ == '__main__':
    main()
