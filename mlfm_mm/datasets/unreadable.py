"""One policy for images that cannot be read, before a run and within it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from .folder_layout import FolderError
from .images import decodes, shorten

POLICIES = ('skip', 'refuse')
Loaded = TypeVar('Loaded')
# How many files that are left out have a line of the log.
NAMED = 10
FILE_KEYS = ('img_path', 'seg_map_path')


class UnreadablePolicy:
    """Skip or refuse images that cannot be read, and remember them.

    Args:
        policy (str): ``'skip'`` or ``'refuse'``.

    Attributes:
        left_out (list[str]): Files that were no images before the run.
        failed (Tensor): A mark for each image: 1 if it failed to decode since
            the last report, 2 if it did before.

    Raises:
        ValueError: ``policy`` is neither.
    """

    def __init__(self, policy: str) -> None:
        if policy not in POLICIES:
            raise ValueError(
                f"unreadable must be 'skip' or 'refuse', not {policy!r}"
            )
        self.refuses = policy == 'refuse'
        self.failed = torch.zeros(0, dtype=torch.uint8)
        self.left_out: list[str] = []

    def report(self, bad: Sequence[str], count: int, remedy: str = '') -> None:
        """Refuse files that are no images, or name them in the log.

        Args:
            bad (Sequence[str]): The files, found before a run.
            count (int): Of how many.
            remedy (str): A sentence to add to an error. Defaults to ''.

        Raises:
            FolderError: There are some, and they are refused.
        """
        if bad and self.refuses:
            raise FolderError(
                f'{len(bad)} of {count} files are no images: {shorten(bad)}. '
                f"Delete them, or set unreadable='skip'. {remedy}".strip()
            )
        self.left_out = list(bad)
        for path in bad[:NAMED]:
            warn(f'{path} is no image and is left out.')
        if len(bad) > NAMED:
            warn(
                f'{len(bad) - NAMED} more files are no images and are left '
                'out: tools/analysis_tools/check_dataset.py names them.'
            )

    def remember(self, count: int) -> None:
        """Allocate the marks of so many images, in shared memory.

        Dataloader workers write them; the main process reads them at the end
        of an epoch.
        """
        self.failed = torch.zeros(count, dtype=torch.uint8).share_memory_()

    def fetch(
        self,
        index: int,
        load: Callable[[int], Loaded],
        info: Callable[[int], dict],
    ) -> Loaded:
        """Load an image, or another one where it is unreadable.

        The others are a function of the index, so that a resumed run sees
        the same ones. Their distance doubles, to get past a stretch of broken
        files in a few steps.

        Args:
            index (int): Index of the image.
            load (Callable): Loads the image of an index.
            info (Callable): Names the files of an index.

        Returns:
            Loaded: What ``load`` returns.

        Raises:
            FolderError: The image is unreadable and this is refused, or all
                others that were tried are unreadable, too.
        """
        count = len(self.failed)
        steps = [1 << k for k in range(max(count - 1, 0).bit_length())]
        for candidate in [index, *((index + step) % count for step in steps)]:
            try:
                return load(candidate)
            except Exception:  # broken files raise errors of every kind
                broken = [
                    p for p in files_of(info(candidate)) if not decodes(p)
                ]
                if not broken:
                    raise  # not the image's fault
                self._mark(candidate, broken)
        raise FolderError(
            f'{broken[0]} and the {len(steps)} others that were tried in its '
            'place cannot be decoded: is the disk still there?'
        )

    def _mark(self, index: int, broken: list[str]) -> None:
        if self.refuses:
            raise FolderError(
                f'{shorten(broken)} cannot be decoded. Delete it, or set '
                "unreadable='skip'."
            ) from None
        if not self.failed[index]:
            warn(f'{shorten(broken)} cannot be decoded and is replaced.')
        self.failed[index] = 1

    def take_failed(self) -> list[int]:
        """List the images that failed since the last call."""
        failed = (self.failed == 1).nonzero().flatten()
        # Named once, counted again whenever they fail again.
        self.failed[failed] = 2
        return failed.tolist()


class ReadsWhatItCan:
    """Give a dataset of MMEngine the argument ``unreadable``.

    A mixin: name it before the dataset among the bases of a class.

    Args:
        *args: Arguments of the dataset.
        unreadable (str): ``'skip'``: what cannot be decoded during a run is
            replaced by another image, named in the log. ``'refuse'``: it
            ends the run by an error that names it. Defaults to ``'skip'``.
        **kwargs: Arguments of the dataset.
    """

    def __init__(
        self, *args: object, unreadable: str = 'skip', **kwargs: object
    ) -> None:
        self.unreadable = UnreadablePolicy(unreadable)
        super().__init__(*args, **kwargs)

    def full_init(self) -> None:
        """Load the list of images, and allocate the marks."""
        super().full_init()  # type: ignore[misc]
        if len(self.unreadable.failed) != len(self):  # type: ignore[arg-type]
            self.unreadable.remember(len(self))  # type: ignore[arg-type]

    def prepare_data(self, idx: int) -> object:
        """Load and transform an image, or another if it is unreadable.

        Args:
            idx (int): Index of the image.

        Returns:
            object: The pipeline's result; for None, MMEngine takes another.
        """
        return self.unreadable.fetch(
            idx,
            super().prepare_data,  # type: ignore[misc]
            self.get_data_info,  # type: ignore[attr-defined]
        )


def files_of(info: dict) -> list[str]:
    """List the files that an item of a dataset is read from."""
    return [str(info[key]) for key in FILE_KEYS if info.get(key)]


def policies_in(
    dataset: BaseDataset,
) -> Iterator[tuple[BaseDataset, UnreadablePolicy]]:
    """Yield the policies of a dataset and of those that it wraps."""
    policy = getattr(dataset, 'unreadable', None)
    if isinstance(policy, UnreadablePolicy):
        yield dataset, policy
    inner = getattr(dataset, 'dataset', None)
    for part in getattr(dataset, 'datasets', [inner] if inner else []):
        yield from policies_in(part)


def warn(message: str) -> None:
    """Write a warning to the log."""
    print_log(message, logger='current', level=logging.WARNING)
