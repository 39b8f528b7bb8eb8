"""The user's own images: a folder of class folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from mmpretrain.datasets import BaseDataset

from ..registry import DATASETS
from .folders import FolderContents, FolderError, left_out, scan_folder
from .images import shorten
from .unreadable import ReadsWhatItCan, warn

Where = tuple[str, float, int | None]
# The last scan, and the split that may still ask for it.
WAITING: dict[tuple[str, Where], FolderContents] = {}


@DATASETS.register_module()
class ImageFolder(ReadsWhatItCan, BaseDataset):
    """Images in class folders, split here where they are not split.

    ``data_root`` holds ``train/<class>/`` and ``val/<class>/``, or only
    ``<class>/``; :func:`mlfm_mm.datasets.folders.scan_folder` says which
    names are splits, how such a folder is split and what is checked.

    Args:
        data_root (str): The folder.
        split (str): ``'train'`` or ``'val'``. Defaults to ``'train'``.
        val_fraction (float): The part of each class kept for validation
            where the folder is not split, between 0 and 1. Defaults to 0.2.
        max_per_class (int, optional): At most so many images of each class.
            Defaults to None.
        source (str): Where to get the data and how to arrange them, for
            errors. Defaults to ``''``.
        unreadable (str): ``'skip'``: files that are no images are left out,
            what cannot be decoded later is replaced by another image, both
            named in the log. ``'refuse'``: an error names them. Defaults to
            ``'skip'``.
        **kwargs: Arguments of :class:`mmpretrain.datasets.BaseDataset`.

    Raises:
        ValueError: ``split`` or ``unreadable`` is unknown.
        FolderError: If the folder cannot be trained on.

    Example:
        >>> dataset = ImageFolder('data/pets')  # doctest: +SKIP
        >>> dataset.CLASSES  # doctest: +SKIP
        ('cat', 'dog')
    """

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        val_fraction: float = 0.2,
        max_per_class: int | None = None,
        source: str = '',
        unreadable: str = 'skip',
        **kwargs: object,
    ) -> None:
        if split not in ('train', 'val'):
            raise ValueError(f"split must be 'train' or 'val', not {split!r}")
        self.split = split
        self.val_fraction = val_fraction
        self.max_per_class = max_per_class
        self.source = source
        super().__init__(
            ann_file='',
            data_root=data_root,
            unreadable=unreadable,
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """Find the images.

        Returns:
            list[dict]: ``img_path`` and ``gt_label`` of each.
        """
        try:
            contents = scan_for(
                self.split,
                (self.data_root, self.val_fraction, self.max_per_class),
            )
        except FolderError as error:
            raise FolderError(f'{error}. {self.source}'.rstrip(' .')) from None
        samples = getattr(contents, self.split)
        bad = getattr(contents, f'{self.split}_unreadable')
        if self.unreadable.refuses:
            self.unreadable.report(bad, len(samples) + len(bad))
        self.unreadable.left_out = list(bad)
        name_left_out(contents.unreadable, contents.ignored)
        names = self._metainfo.setdefault('classes', contents.classes)
        check_names(names, contents.classes, self.data_root)
        return [dict(img_path=path, gt_label=label) for path, label in samples]

    def extra_repr(self) -> list[str]:
        """Describe what the base class cannot know."""
        return [f'Root: \t{self.data_root}', f'Split: \t{self.split}']


def scan_for(split: str, where: Where) -> FolderContents:
    """Scan a folder once for both splits, and anew for their next pair.

    A scan opens every file; but in a notebook, the folder may have changed.
    """
    contents = WAITING.pop((split, where), None)
    if contents is None:
        contents = scan_folder(*where)
        other = 'val' if split == 'train' else 'train'
        WAITING.clear()
        WAITING[other, where] = replace(contents, **{split: ()})
    return contents


def check_names(names: Sequence[str], folders: Sequence[str], at: str) -> None:
    """Refuse names that are too few or too many, or in another order."""
    if len(names) != len(folders):
        differ = f'but {at} holds {len(folders)}'
    elif sorted(names) == sorted(folders) and [*names] != [*folders]:
        differ = f'in another order than the folders of {at}'
    else:
        return
    raise FolderError(
        f'metainfo names {len(names)} classes, {differ}: name each folder, '
        f'in sorted order ({shorten(folders)})'
    )


@lru_cache(maxsize=4)
def name_left_out(
    unreadable: tuple[str, ...], ignored: tuple[str, ...]
) -> None:
    """Log what of a folder is not used, once for all splits."""
    for line in left_out(unreadable, ignored):
        warn(f'Left out: {line}.')
