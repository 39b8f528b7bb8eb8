"""Convert CamVid from its original labels, in 32 colours, to eleven classes.

    python tools/dataset_converters/camvid.py IMAGES LABELS TARGET

IMAGES is the folder of the 701 pictures, LABELS that of <name>_L.png. TARGET
gets images/<split>/ and annotations/<split>/, in the splits and the size,
480x360, that are usual since SegNet: data_root of the configs.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mlfm_mm.datasets.camvid_convert import convert
from mlfm_mm.datasets.folders import FolderError


def size(text: str) -> tuple[int, int] | None:
    """Read a size such as 480x360, or 'original'."""
    if text == 'original':
        return None
    width, _, height = text.partition('x')
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no size such as 480x360, nor 'original'"
        )
    return int(width), int(height)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('images', help='the folder of the pictures')
    parser.add_argument('labels', help='the folder of the labels in colours')
    parser.add_argument('target', help='the new folder')
    parser.add_argument(
        '--size',
        type=size,
        default=(480, 360),
        metavar='WIDTHxHEIGHT',
        help="what to bring pictures to, or 'original' (default: 480x360)",
    )
    return parser.parse_args()


def main() -> None:
    """Convert."""
    args = parse_args()
    counts: Counter[str] = Counter()
    try:
        for original in convert(
            args.images, args.labels, args.target, args.size
        ):
            counts[original.split] += 1
    except (FolderError, OSError) as error:
        sys.exit(f'camvid.py: {error}')
    for split, count in sorted(counts.items()):
        print(f'{split}: {count} pictures')
    print(f'wrote {args.target}')


if __name__ == '__main__':
    main()
