"""One picture in, one picture out: a label or a mask drawn on it.

    python tools/image_demo.py photo.jpg CONFIG CHECKPOINT --out shown.png

works for classifiers of mmpretrain and for segmentors of mmsegmentation.
"""

import argparse
import sys
from pathlib import Path

# A clone need not be installed: its package lies beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mlfm_mm.engine import UsageError
from mlfm_mm.engine.demo import run_demo


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('image', help='the picture')
    parser.add_argument('config', help='the config file')
    parser.add_argument('checkpoint', help='the weights')
    parser.add_argument(
        '--out',
        default='demo.png',
        metavar='FILE',
        help='the picture to write (default: %(default)s)',
    )
    parser.add_argument(
        '--device', default='cpu', help='such as cuda:0 (default: cpu)'
    )
    return parser.parse_args()


def main() -> None:
    """Show."""
    args = parse_args()
    try:
        words = run_demo(**vars(args))
    except UsageError as error:
        sys.exit(f'image_demo.py: {error}')
    print(f'{words}\nwrote {args.out}')


if __name__ == '__main__':
    main()
