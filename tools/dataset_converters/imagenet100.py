"""Check a copy of ImageNet-100, or link it into train/ and val/.

    python tools/dataset_converters/imagenet100.py check FOLDER
    python tools/dataset_converters/imagenet100.py link FOLDER NEW_FOLDER

Training reads every layout as it is (Kaggle's train.X1 ... val.X, train/ and
val/, or an ImageNet-1k tree); linking is for other programs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mlfm_mm.datasets.folder_layout import (
    FolderError,
    new_folder,
    require_folder,
)
from mlfm_mm.datasets.imagenet100.layout import (
    AbsentSplit,
    Split,
    find_split,
    remedy,
)
from mlfm_mm.datasets.images import (
    decodes,
    find_unreadable,
    is_readable,
    shorten,
)
from mlfm_mm.engine import one_sentence
from mlfm_mm.engine.arguments import make_parser

# Images of each class, as Kaggle's set has them; a class of ImageNet-1k may
# have fewer for training.
PER_CLASS = dict(train=1300, val=50)
# How many files that are no images are named.
NAMED = 10


@dataclass(frozen=True)
class SplitReport:
    """What was found of a split.

    Args:
        split (str): ``'train'`` or ``'val'``.
        layout (str): See :class:`Split`.
        counts (dict[str, int]): Images by synset.
        unreadable (tuple[str, ...]): Files that are no images.
    """

    split: str
    layout: str
    counts: dict[str, int]
    unreadable: tuple[str, ...]

    @property
    def short(self) -> dict[str, int]:
        """dict[str, int]: The classes with fewer images than published."""
        wanted = PER_CLASS[self.split]
        if self.layout == 'imagenet-1k' and self.split == 'train':
            return {}
        return {w: n for w, n in self.counts.items() if n < wanted}

    @property
    def complete(self) -> bool:
        """bool: Whether nothing is missing or broken."""
        return not (self.short or self.unreadable)

    def lines(self) -> Iterator[str]:
        r"""Describe the split, line by line.

        Example:
            >>> report = SplitReport('val', 'merged', {'n01440764': 49}, ())
            >>> print(*report.lines(), sep='\n')
            val: 49 images of 1 classes (merged layout), 49 to 49 a class
              1 of 1 classes are short: n01440764 has 49 images, not 50
        """
        counts = self.counts.values()
        yield (
            f'{self.split}: {sum(counts)} images of {len(counts)} classes '
            f'({self.layout} layout), {min(counts)} to {max(counts)} a class'
        )
        if self.short:
            wanted = PER_CLASS[self.split]
            short = [
                f'{wnid} has {count} images, not {wanted}'
                for wnid, count in self.short.items()
            ]
            yield (
                f'  {len(short)} of {len(counts)} classes are short: '
                f'{shorten(short)}'
            )
        if self.unreadable:
            yield (
                f'  {len(self.unreadable)} files are no images: '
                f'{shorten(self.unreadable, NAMED)}'
            )


def check_split(
    root: str | Path,
    split: str,
    readable: Callable[[str], bool] = is_readable,
) -> SplitReport:
    """Count the images of a split and check each.

    Args:
        root (str | Path): The folder of the data set.
        split (str): ``'train'`` or ``'val'``.
        readable (Callable): Says whether a file is an image. Defaults to
            :func:`is_readable`, which reads its header.

    Returns:
        SplitReport: What was found.

    Raises:
        FolderError: See :func:`find_split`.
    """
    found = find_split(root, split)
    bad = find_unreadable([path for path, _ in found.samples()], readable)
    counts = {wnid: len(images) for wnid, images in found.images.items()}
    return SplitReport(split, found.layout, counts, tuple(bad))


def link_merged(source: str | Path, target: str | Path) -> list[Path]:
    """Link the images into ``train/<wnid>`` and ``val/<wnid>``.

    Args:
        source (str | Path): The folder of the data set, in any layout; one
            of the splits may be absent.
        target (str | Path): The folder to make; nothing is overwritten.

    Returns:
        list[Path]: The folders of the splits that were linked.

    Raises:
        FolderError: The target is not empty, or the source holds no split,
            or a wrong one.
    """
    splits, errors = {}, []
    for split in PER_CLASS:
        try:
            splits[split] = find_split(source, split)
        except AbsentSplit as error:
            errors.append(error)
    if not splits:
        raise errors[0]
    with new_folder(target) as base:
        for split, found in splits.items():
            link_split(found, base / split)
    return [Path(target).expanduser() / split for split in splits]


def link_split(found: Split, folder: Path) -> None:
    """Link the images of a split, class by class."""
    folder.mkdir(parents=True)
    for wnid, images in found.images.items():
        home = images[0].parent.resolve()
        if home.name == wnid:
            (folder / wnid).symlink_to(home, target_is_directory=True)
            continue
        # All classes in one folder, as ImageNet-1k's validation images.
        (folder / wnid).mkdir()
        for path in images:
            (folder / wnid / path.name).symlink_to(path.resolve())


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
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

    Raises:
        FolderError: There is no such folder.
    """
    require_folder(args.folder, remedy(args.folder))
    complete = True
    for split in [args.split] if args.split else ['train', 'val']:
        print(f'looking at {split} ...', flush=True)
        try:
            report = check_split(
                args.folder, split, decodes if args.decode else is_readable
            )
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
    with one_sentence('imagenet100.py'):
        if args.command == 'check':
            sys.exit(0 if check(args) else 1)
        linked = link_merged(args.folder, args.target)
    for folder in linked:
        print(f'linked {folder}')


if __name__ == '__main__':
    main()
