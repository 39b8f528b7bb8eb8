"""ImageNet-100, as Kaggle's ambityga/imagenet100 chose the classes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mmcv
from mmengine.logging import print_log
from mmpretrain.datasets import BaseDataset

from ..registry import DATASETS
from .folders import FolderError, Sample, is_readable, shorten
from .imagenet100_classes import CLASSES
from .imagenet100_layout import find_split, remedy

# Opening files waits for the disk, so more threads than cores pay off.
THREADS = 16


@DATASETS.register_module()
class ImageNet100(BaseDataset):
    """ImageNet-100 in any of its layouts.

    ``data_root`` may be the folder as it is unpacked (``train.X1`` ...
    ``train.X4``, ``val.X``, ``Labels.json``), the merged layout
    (``train/<wnid>``, ``val/<wnid>``), or an ImageNet-1k tree, of which the
    100 classes are taken. A label is the rank of the class's synset.

    Images that cannot be read are named in the log. When they are skipped,
    those that do not begin as an image are left out of the validation split
    before the run, and whatever fails to decode later is replaced by another
    image: at random in training, by its neighbour in validation.

    Args:
        data_root (str): The folder.
        split (str): ``'train'`` or ``'val'``. Defaults to ``'train'``.
        unreadable (str): ``'skip'``, or ``'refuse'`` to look at all files of
            the split first and to raise an error that names those that are
            no images. Defaults to ``'skip'``.
        **kwargs: Arguments of :class:`mmpretrain.datasets.BaseDataset`.

    Raises:
        ValueError: ``split`` or ``unreadable`` is unknown.
        FolderError: The folder does not hold ImageNet-100.

    Example:
        >>> dataset = ImageNet100('data/imagenet100')  # doctest: +SKIP
        >>> len(dataset), dataset.CLASSES[0]  # doctest: +SKIP
        (130000, 'tench, Tinca tinca')
    """

    METAINFO = dict(classes=tuple(CLASSES.values()), wnids=tuple(CLASSES))

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        unreadable: str = 'skip',
        **kwargs: Any,
    ) -> None:
        if split not in ('train', 'val'):
            raise ValueError(f"split must be 'train' or 'val', not {split!r}")
        if unreadable not in ('skip', 'refuse'):
            raise ValueError(
                f"unreadable must be 'skip' or 'refuse', not {unreadable!r}"
            )
        self.split = split
        self.unreadable = unreadable
        self.named: set[str] = set()
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Find the images.

        Returns:
            list[dict]: ``img_path`` and ``gt_label`` of each.
        """
        samples = find_split(self.data_root, self.split).samples()
        if self.split == 'val' or self.unreadable == 'refuse':
            samples = self._without_unreadable(samples)
        return [dict(img_path=path, gt_label=label) for path, label in samples]

    def _without_unreadable(self, samples: list[Sample]) -> list[Sample]:
        with ThreadPoolExecutor(THREADS) as pool:
            fine = list(
                pool.map(lambda sample: is_readable(sample[0]), samples)
            )
        bad = [s[0] for s, ok in zip(samples, fine, strict=True) if not ok]
        if not bad:
            return samples
        if self.unreadable == 'refuse':
            raise FolderError(
                f'{len(bad)} of {len(samples)} files of the {self.split!r} '
                f'split are no images: {shorten(bad)}. Delete them, or set '
                f"unreadable='skip'. {remedy(self.data_root)}"
            )
        for path in bad:
            self._name(path, 'is no image and is left out')
        return [s for s, ok in zip(samples, fine, strict=True) if ok]

    def prepare_data(self, idx: int) -> Any:
        """Load and transform an image, or another one if it is unreadable.

        Args:
            idx (int): Index of the image.

        Returns:
            Any: What the pipeline makes of it; None asks for any other one.

        Raises:
            FolderError: The image is unreadable, and such are refused.
        """
        try:
            return super().prepare_data(idx)
        except Exception:  # broken files raise errors of every kind
            path = self.get_data_info(idx)['img_path']
            if decodes(path):
                raise  # not the image's fault
            if self.unreadable == 'refuse':
                raise FolderError(f'{path} cannot be decoded.') from None
            self._name(path, 'cannot be decoded and is replaced')
        return None if self.split == 'train' else self[(idx + 1) % len(self)]

    def _name(self, path: str, fault: str) -> None:
        if path not in self.named:
            self.named.add(path)
            print_log(f'{path} {fault}.', logger='current', level=30)

    def extra_repr(self) -> list[str]:
        """Describe what the base class cannot know."""
        return [f'Root: \t{self.data_root}', f'Split: \t{self.split}']


def decodes(path: str) -> bool:
    """Say whether an image can be read to its last pixel."""
    try:
        return mmcv.imread(path) is not None
    except Exception:  # as above
        return False
