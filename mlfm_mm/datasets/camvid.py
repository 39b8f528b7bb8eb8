"""CamVid, street scenes of Cambridge, with the eleven usual classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.datasets import BaseSegDataset

from ..registry import DATASETS
from .camvid_classes import CLASSES, IGNORE, VOID
from .camvid_layout import check_pairs, find_pairs


@DATASETS.register_module()
class CamVid(BaseSegDataset):
    """CamVid in the layout of SegNet, or in ``images/`` and ``annotations/``.

    ``data_root`` holds ``images/<split>/`` and ``annotations/<split>/``, or
    ``<split>/`` and ``<split>annot/``. A mask is a PNG file of the name of
    its picture with a label for each pixel: 0 to 10 are classes, 11 (void)
    and 255 are ignored by losses and metrics.

    Args:
        data_root (str): The folder.
        split (str): ``'train'`` (367 pictures), ``'val'`` (101) or
            ``'test'`` (233). Defaults to ``'train'``.
        check (bool): Whether all masks are looked at first, which takes
            about two seconds for the whole set. Defaults to True.
        **kwargs: Arguments of :class:`mmseg.datasets.BaseSegDataset`.

    Raises:
        FolderError: There is no such folder or split, a picture has no mask,
            a mask has another size than its picture, or labels that are out
            of range. The message names files and the remedy.

    Example:
        >>> dataset = CamVid('data/camvid', 'val')  # doctest: +SKIP
        >>> len(dataset), dataset.METAINFO['classes'][0]  # doctest: +SKIP
        (101, 'Sky')
    """

    METAINFO = dict(
        classes=tuple(CLASSES), palette=[list(c) for c in CLASSES.values()]
    )

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        check: bool = True,
        **kwargs: Any,
    ) -> None:
        self.split = split
        self.check = check
        super().__init__(data_root=data_root, **kwargs)

    @classmethod
    def get_label_map(
        cls, new_classes: Sequence[str] | None = None
    ) -> dict[int, int]:
        """Map the labels of the files to those to train with.

        Args:
            new_classes (Sequence[str], optional): A choice of the classes,
                in their new order. Defaults to None, all.

        Returns:
            dict[int, int]: New labels by old ones, where they differ; void
            is to be ignored.
        """
        chosen = super().get_label_map(new_classes) or {}
        return {**chosen, VOID: IGNORE}

    def load_data_list(self) -> list[dict]:
        """Find the pictures and their masks.

        Returns:
            list[dict]: ``img_path``, ``seg_map_path`` and what mmseg's
            ``LoadAnnotations`` asks for, of each.
        """
        pairs = find_pairs(self.data_root, self.split)
        if self.check:
            check_pairs(pairs)
        return [
            dict(
                img_path=str(pair.image),
                seg_map_path=str(pair.mask),
                label_map=self.label_map,
                reduce_zero_label=self.reduce_zero_label,
                seg_fields=[],
            )
            for pair in pairs
        ]
