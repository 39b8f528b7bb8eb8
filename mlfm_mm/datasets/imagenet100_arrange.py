"""Check the images of ImageNet-100, and link them into the merged layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .folders import FolderError, is_readable
from .imagenet100_layout import Split, find_split

# Images of each class, as Kaggle's set has them; a class of ImageNet-1k may
# have fewer for training.
PER_CLASS = dict(train=1300, val=50)
THREADS = 16


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
        r"""Tell it line by line.

        Example:
            >>> report = SplitReport('val', 'merged', {'n01440764': 49}, ())
            >>> print(*report.lines(), sep='\n')
            val: 49 images of 1 classes (merged layout), 49 to 49 a class
              n01440764 has 49 images, not 50
        """
        counts = self.counts.values()
        yield (
            f'{self.split}: {sum(counts)} images of {len(counts)} classes '
            f'({self.layout} layout), {min(counts)} to {max(counts)} a class'
        )
        for wnid, count in self.short.items():
            wanted = PER_CLASS[self.split]
            yield f'  {wnid} has {count} images, not {wanted}'
        for path in self.unreadable:
            yield f'  {path} is no image'


def check_split(
    root: str | Path,
    split: str,
    readable: Callable[[Path], bool] = is_readable,
) -> SplitReport:
    """Count the images of a split and look at each.

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
    paths = [path for images in found.images.values() for path in images]
    with ThreadPoolExecutor(THREADS) as pool:
        fine = list(pool.map(readable, paths))
    bad = [str(p) for p, ok in zip(paths, fine, strict=True) if not ok]
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
        FolderError: The target is not empty, or the source holds no split.
    """
    base = Path(target).expanduser()
    if base.exists() and (not base.is_dir() or any(base.iterdir())):
        raise FolderError(
            f'{base} exists and is not empty: name a new folder, or delete it'
        )
    # Both are looked for before anything is made.
    splits, errors = {}, []
    for split in PER_CLASS:
        try:
            splits[split] = find_split(source, split)
        except FolderError as error:
            errors.append(str(error))
    if not splits:
        raise FolderError(errors[0])
    for split, found in splits.items():
        link_split(found, base / split)
    return [base / split for split in splits]


def link_split(found: Split, folder: Path) -> None:
    """Link the images of a split, class by class.

    Args:
        found (Split): The images.
        folder (Path): The folder to make.
    """
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
