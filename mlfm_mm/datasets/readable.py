"""Any dataset of any host, with a policy for images that cannot be read."""

from __future__ import annotations

from copy import deepcopy

from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS as ROOT_DATASETS

from ..registry import DATASETS
from .folder_layout import FolderError
from .images import find_unreadable, shorten
from .unreadable import UnreadablePolicy, files_of


@DATASETS.register_module()
class ReadableDataset:
    """Wrap a dataset, to skip or to refuse files that cannot be read.

    Before the run, the headers of all files are read. Images that fail only
    when they are decoded are replaced by others, or end the run by an error
    that names them. :class:`mlfm_mm.engine.hooks.UnreadableReportHook` counts
    them at the end of each epoch.

    Args:
        dataset (dict | BaseDataset): The dataset, or its config.
        unreadable (str): ``'skip'`` or ``'refuse'``. Defaults to ``'skip'``.
        lazy_init (bool): Whether to read the list of images only when the
            first is asked for. Defaults to False.

    Raises:
        ValueError: ``unreadable`` is unknown.
        FolderError: There are such files, and they are refused, or no image
            is left without them.

    Example:
        >>> train_dataloader = dict(
        ...     dataset=dict(
        ...         type='mlfm_mm.ReadableDataset',
        ...         dataset=dict(type='ImageNet', data_root='data/imagenet'),
        ...     )
        ... )
    """

    def __init__(
        self,
        dataset: dict | BaseDataset,
        unreadable: str = 'skip',
        lazy_init: bool = False,
    ) -> None:
        self.unreadable = UnreadablePolicy(unreadable)
        self.dataset = (
            ROOT_DATASETS.build(dataset)
            if isinstance(dataset, dict)
            else dataset
        )
        self.kept: list[int] = []
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict:
        """dict: The dataset's own, such as its classes."""
        return deepcopy(self.dataset.metainfo)

    @property
    def CLASSES(self) -> tuple[str, ...] | None:
        """tuple[str, ...] | None: Names of the classes, as mmpretrain asks."""
        return self.metainfo.get('classes')

    def full_init(self) -> None:
        """Read the list of images, and leave out files that are none."""
        if self._fully_initialized:
            return
        self.dataset.full_init()
        read = [
            files_of(self.dataset.get_data_info(index))
            for index in range(len(self.dataset))
        ]
        paths = [path for some in read for path in some]
        bad = find_unreadable(paths)
        broken = set(bad)
        self.kept = [i for i, s in enumerate(read) if broken.isdisjoint(s)]
        if read and not self.kept:
            raise FolderError(
                f'none of the {len(read)} images can be used, as '
                f'{shorten(bad, 1)} cannot be opened by Pillow: check '
                'data_root and data_prefix, or do without ReadableDataset '
                'where a transform of your own reads other files'
            )
        self.unreadable.report(bad, len(paths))
        self.unreadable.remember(len(self.kept))
        self._fully_initialized = True

    def get_data_info(self, idx: int) -> dict:
        """Get what the dataset knows of an image.

        Args:
            idx (int): Index of the image.

        Returns:
            dict: Such as ``img_path`` and ``gt_label``.
        """
        self.full_init()
        return self.dataset.get_data_info(self.kept[idx])

    def get_cat_ids(self, idx: int) -> list[int]:
        """Get the classes in an image, for samplers that balance classes.

        Args:
            idx (int): Index of the image.

        Returns:
            list[int]: Their labels.
        """
        self.full_init()
        return self.dataset.get_cat_ids(self.kept[idx])

    def __len__(self) -> int:
        self.full_init()
        return len(self.kept)

    def __getitem__(self, idx: int) -> object:
        self.full_init()
        return self.unreadable.fetch(idx, self._load, self.get_data_info)

    def _load(self, idx: int) -> object:
        return self.dataset[self.kept[idx]]
