"""Train a small network with and without MLFM, and compare the two.

Without --data it trains on scikit-learn's handwritten digits, pale under a
fine grain, which need no download. A folder of your own holds one folder of
images for each class, or train/ and val/ with such folders in each.
"""

import argparse
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from pathlib import Path

# Where cores are shared with other programs, OpenMP threads that spin while
# they wait stall each other for seconds: let GNU OpenMP, which reads this
# when PyTorch is imported, put them to sleep early.
os.environ.setdefault('GOMP_SPINCOUNT', '3000')

# A clone need not be installed: its package lies above this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

NEEDED = ('torch', 'mmengine', 'mmpretrain', 'sklearn', 'matplotlib', 'rich')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--data', metavar='FOLDER', help='your images, in class folders'
    )
    parser.add_argument(
        '--epochs', type=int, metavar='N', help='epochs of each network'
    )
    parser.add_argument(
        '--work-dir',
        default='work_dirs/quickstart',
        metavar='DIR',
        help='each run makes a folder in it (default: %(default)s)',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='the first seed (default: 0)'
    )
    parser.add_argument(
        '--seeds',
        type=int,
        metavar='N',
        help='how many seeds each network is trained with (default: digits '
        '5, folder 1)',
    )
    parser.add_argument(
        '--image-size',
        type=int,
        metavar='PIXELS',
        help='height and width of the images (default: digits 32, folder 64)',
    )
    parser.add_argument(
        '--max-per-class',
        type=int,
        metavar='N',
        help='at most so many images of each class, where there are too many '
        'for a quick look',
    )
    return parser.parse_args()


def check_packages() -> None:
    """Stop with one line where a package is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        sys.exit(
            f'quickstart.py: Python packages are missing '
            f'({", ".join(missing)}): run make quickstart, or '
            "pip install 'mlfm_mm[onedl,quickstart]'"
        )


def main() -> None:
    """Compare."""
    args = parse_args()
    check_packages()
    # Only now, so that a missing package gets the message above; silently,
    # because the hosts print warnings about optional packages.
    with (
        open(os.devnull, 'w') as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
    ):
        from rich.console import Console

        from demo.quickstart.comparison import run_quickstart
        from demo.quickstart.recipe import Settings
        from mlfm_mm.engine import one_sentence

    # Holds on to the present stdout, which training redirects.
    console = Console(file=sys.stdout)
    with one_sentence('quickstart.py', 'nothing was compared'):
        run_quickstart(Settings(**vars(args)), console)


if __name__ == '__main__':
    main()
