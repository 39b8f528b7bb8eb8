"""Check a copy of ImageNet-100, or link it into train/ and val/.

    python tools/dataset_converters/imagenet100.py check FOLDER
    python tools/dataset_converters/imagenet100.py link FOLDER NEW_FOLDER

Training reads every layout as it is (Kaggle's train.X1 ... val.X, train/ and
val/, or an ImageNet-1k tree); linking is for other programs.
"""

import argparse
import sys
from pathlib import Path

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mlfm_mm.datasets.folders import FolderError, is_readable
from mlfm_mm.datasets.imagenet100 import decodes
from mlfm_mm.datasets.imagenet100_arrange import check_split, link_merged


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest='command', required=True)
    check = commands.add_parser('check', help='count and look at the images')
    check.add_argument('folder', help='the folder of the data set')
    check.add_argument(
        '--split',
        choices=['train', 'val'],
        help='check this split only (default: both)',
    )
    check.add_argument(
        '--decode',
        action='store_true',
        help='decode every image to its last pixel, not only its header; '
        'takes as long as an epoch of loading',
    )
    link = commands.add_parser('link', help='link into train/ and val/')
    link.add_argument('folder', help='the folder of the data set')
    link.add_argument('target', help='the new folder')
    return parser.parse_args()


def check(args: argparse.Namespace) -> bool:
    """Check the splits and print what was found.

    Args:
        args (Namespace): The options.

    Returns:
        bool: Whether nothing is missing or broken.
    """

    def decodable(path: Path) -> bool:
        return decodes(str(path))

    readable = decodable if args.decode else is_readable
    complete = True
    for split in [args.split] if args.split else ['train', 'val']:
        print(f'looking at {split} ...', flush=True)
        try:
            report = check_split(args.folder, split, readable)
        except FolderError as error:
            print(f'{split}: {error}')
            complete = False
            continue
        print('\n'.join(report.lines()))
        complete &= report.complete
    print('complete' if complete else 'NOT complete')
    return complete


def main() -> None:
    """Check or link."""
    args = parse_args()
    if args.command == 'check':
        sys.exit(0 if check(args) else 1)
    try:
        linked = link_merged(args.folder, args.target)
    except (FolderError, OSError) as error:
        sys.exit(f'imagenet100.py: {error}')
    for folder in linked:
        print(f'linked {folder}')


if __name__ == '__main__':
    main()
