"""ImageNet-100, as Kaggle's ambityga/imagenet100 chose the classes."""

from __future__ import annotations

from mmpretrain.datasets import BaseDataset
from mmpretrain.datasets.categories import IMAGENET_CATEGORIES

from ...registry import DATASETS
from ..images import find_unreadable
from ..unreadable import ReadsWhatItCan
from .classes import RANKS
from .layout import find_split, remedy


@DATASETS.register_module()
class ImageNet100(ReadsWhatItCan, BaseDataset):
    """ImageNet-100 in any of its layouts.

    ``data_root`` may be the folder as it is unpacked (``train.X1`` ...
    ``train.X4``, ``val.X``, ``Labels.json``), the merged layout
    (``train/<wnid>``, ``val/<wnid>``), or an ImageNet-1k tree, of which the
    100 classes are taken. A label is the rank of the class's synset.

    Args:
        data_root (str): The folder.
        split (str): ``'train'`` or ``'val'``. Defaults to ``'train'``.
        unreadable (str): ``'skip'``: files of the validation split that are
            no images are left out, what cannot be decoded during the run is
            replaced by another image, both named in the log. ``'refuse'``:
            the headers of all files of the split are read first, and an error
            names those. Defaults to ``'skip'``.
        **kwargs: Arguments of :class:`mmpretrain.datasets.BaseDataset`.

    Raises:
        ValueError: ``split`` or ``unreadable`` is unknown.
        FolderError: The folder does not hold ImageNet-100.

    Example:
        >>> dataset = ImageNet100('data/imagenet100')  # doctest: +SKIP
        >>> len(dataset), dataset.CLASSES[0]  # doctest: +SKIP
        (130000, 'tench, Tinca tinca')
    """

    METAINFO = dict(
        classes=tuple(IMAGENET_CATEGORIES[rank] for rank in RANKS.values()),
        wnids=tuple(RANKS),
    )

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        unreadable: str = 'skip',
        **kwargs: object,
    ) -> None:
        if split not in ('train', 'val'):
            raise ValueError(f"split must be 'train' or 'val', not {split!r}")
        self.split = split
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
        samples = find_split(self.data_root, self.split).samples()
        bad: list[str] = []
        if self.split == 'val' or self.unreadable.refuses:
            bad = find_unreadable([path for path, _ in samples])
            hint = remedy(self.data_root)
            self.unreadable.report(bad, len(samples), hint)
        broken = set(bad)
        return [
            dict(img_path=path, gt_label=label)
            for path, label in samples
            if path not in broken
        ]

    def extra_repr(self) -> list[str]:
        """Describe what the base class cannot know."""
        return [f'Root: \t{self.data_root}', f'Split: \t{self.split}']
