"""Compare two trained segmentors, one without memory and one with MLFM.

    python tools/compare_segmentations.py \
        work_dirs/camvid/baseline work_dirs/camvid/mlfm

tests both and writes IoU by class (Markdown, CSV, JSON), the learning curves
and pictures side by side.
"""

import argparse
import sys
from pathlib import Path

# A clone need not be installed: its package lies beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mlfm_mm.analysis.segmentation import compare
from mlfm_mm.engine import UsageError


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('baseline', type=Path, help='work folder without')
    parser.add_argument('mlfm', type=Path, help='work folder with MLFM')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('docs/results/camvid'),
        metavar='DIR',
        help='where to write (default: %(default)s)',
    )
    parser.add_argument(
        '--pictures',
        type=int,
        default=3,
        metavar='N',
        help='how many pictures to show (default: %(default)s)',
    )
    parser.add_argument(
        '--data',
        metavar='FOLDER',
        help='the data, if not where the config says',
    )
    return parser.parse_args()


def main() -> None:
    """Compare."""
    args = parse_args()
    folders = dict(baseline=args.baseline, mlfm=args.mlfm)
    try:
        table = compare(folders, args.out, args.pictures, args.data)
    except UsageError as error:
        sys.exit(f'compare_segmentations.py: {error}')
    print(table.markdown())


if __name__ == '__main__':
    main()
