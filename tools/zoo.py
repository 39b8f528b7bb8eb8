"""Keep the figures and tables of the model zoo.

python tools/zoo.py costs            count params and MACs of all configs
python tools/zoo.py costs NAME ...   count those with NAME in their paths
python tools/zoo.py results DIR ...  collect the results of training runs
python tools/zoo.py tables           write metafiles, model-index, READMEs
python tools/zoo.py tables --check   only say whether they are up to date
"""

import argparse
import json
import logging
import sys
from pathlib import Path

# A clone need not be installed: its package lies beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / '.dev_scripts'))

from marks import replace_block
from mlfm_mm.analysis.zoo import (
    Cost,
    collect_runs,
    find_entries,
    measure_zoo,
    metafiles,
    out_of_date,
    pages,
    read_zoo,
    summary,
)
from mlfm_mm.analysis.zoo.results import MEASURED
from mlfm_mm.analysis.zoo.zoo import COSTS

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest='command', required=True)
    costs = commands.add_parser(
        'costs', help='count params and MACs of all configs'
    )
    costs.add_argument(
        'names',
        nargs='*',
        metavar='NAME',
        help='count only configs with one of these words in their paths',
    )
    results = commands.add_parser(
        'results', help='collect the results of training runs'
    )
    results.add_argument(
        'work_dirs', nargs='+', type=Path, help='work folders of train.py'
    )
    tables = commands.add_parser(
        'tables', help='write metafiles, model-index.yml and READMEs'
    )
    tables.add_argument(
        '--check',
        action='store_true',
        help='write nothing; fail if a file is out of date',
    )
    return parser.parse_args()


def write_costs(names: list[str]) -> None:
    """Count, telling each config as it is done."""
    # The neck tells its taps when it is built.
    logging.disable(logging.INFO)

    def report(number: int, count: int, path: str, cost: Cost) -> None:
        print(
            f'[{number}/{count}] {path}: {cost.params:,} params, '
            f'{cost.macs:,} MACs at {cost.pixels} pixels',
            flush=True,
        )

    try:
        rows = measure_zoo(ROOT, report, names)
    except ValueError as error:
        sys.exit(f'zoo.py: {error}')
    write_json(COSTS, rows)


def write_results(work_dirs: list[Path]) -> None:
    """Add the results of runs to the measured ones."""
    try:
        runs = collect_runs(ROOT, work_dirs, find_entries(ROOT))
    except ValueError as error:
        sys.exit(f'zoo.py: {error}')
    write_json(MEASURED, runs)


def write_json(name: str, content: dict) -> None:
    """Write a data file of the zoo."""
    text = json.dumps(content, indent=2) + '\n'
    (ROOT / name).write_text(text, encoding='utf-8')
    print(f'wrote {name}; now run: python tools/zoo.py tables')


def generated() -> dict[str, str]:
    """Generate all files; contents by path from the top."""
    zoo = read_zoo(ROOT)
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    return {
        **metafiles(zoo),
        **pages(zoo),
        'README.md': replace_block(readme, 'published', summary(zoo)),
    }


def write_tables(check: bool) -> None:
    """Write the generated files, or say which are out of date."""
    try:
        files = generated()
    except (ValueError, OSError) as error:
        sys.exit(f'zoo.py: {error}')
    stale = out_of_date(ROOT, files)
    if check:
        if stale:
            sys.exit(
                f'zoo.py: out of date: {", ".join(stale)}; run python '
                'tools/zoo.py tables'
            )
        print('all tables are up to date')
        return
    for name in stale:
        (ROOT / name).write_text(files[name], encoding='utf-8')
        print(f'wrote {name}')


def main() -> None:
    """Do what the command line says."""
    args = parse_args()
    if args.command == 'costs':
        write_costs(args.names)
    elif args.command == 'results':
        write_results(args.work_dirs)
    else:
        write_tables(args.check)


if __name__ == '__main__':
    main()
