"""CamVid, street scenes of Cambridge, with the eleven usual classes."""

from __future__ import annotations

from collections.abc import Sequence

from mmseg.datasets import BaseSegDataset

from ...registry import DATASETS
from ..folder_layout import FolderError
from ..images import shorten
from ..unreadable import ReadsWhatItCan, warn
from .classes import CLASSES, IGNORE, VOID
from .layout import Pair, find_pairs
from .masks import look_at_all


@DATASETS.register_module()
class CamVid(ReadsWhatItCan, BaseSegDataset):
    """CamVid in the layout of SegNet, or in ``images/`` and ``annotations/``.

    ``data_root`` holds ``images/<split>/`` and ``annotations/<split>/``, or
    ``<split>/`` and ``<split>annot/``. A mask is a PNG file of the name of
    its picture with a label for each pixel: 0 to 10 are classes, 11 (void)
    and 255 are ignored by losses and metrics. A mask labels the pixels of its
    picture as they are stored, so that an EXIF orientation must be ignored:
    by ``color_type='color_ignore_orientation'`` of ``LoadImageFromFile``.

    Args:
        data_root (str): The folder.
        split (str): ``'train'`` (367 pictures), ``'val'`` (101) or
            ``'test'`` (233). Defaults to ``'train'``.
        check (bool): Whether to check all masks first, which takes about two
            seconds for the whole set. Defaults to True.
        unreadable (str): ``'refuse'``, or ``'skip'`` to leave out files
            that are no images, and to replace what cannot be decoded later.
            Defaults to ``'refuse'``.
        **kwargs: Arguments of :class:`mmseg.datasets.BaseSegDataset`.

    Raises:
        FolderError: There is no such folder or split, a picture has no mask,
            a mask has another size than its picture, or labels that are out
            of range, or the pipeline rotates pictures and not their masks.
            The message names files and the remedy.

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
        unreadable: str = 'refuse',
        **kwargs: object,
    ) -> None:
        self.split = split
        self.check = check
        super().__init__(data_root=data_root, unreadable=unreadable, **kwargs)

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
            becomes the label to ignore.
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
            pairs = self._check(pairs)
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

    def _check(self, pairs: list[Pair]) -> list[Pair]:
        looks = dict(zip(pairs, look_at_all(pairs), strict=True))
        bad = [look.unreadable for look in looks.values() if look.unreadable]
        self.unreadable.report(bad, 2 * len(pairs))
        turned = [pair.image.name for pair in pairs if looks[pair].turned]
        if turned:
            self._check_turned(turned)
        return [pair for pair in pairs if not looks[pair].unreadable]

    def _check_turned(self, names: list[str]) -> None:
        """Refuse a pipeline that applies EXIF orientation to pictures only."""
        which = f'{len(names)} pictures are to be turned ({shorten(names)})'
        for transform in self.pipeline.transforms:
            if getattr(transform, 'color_type', '') in ('color', 'grayscale'):
                raise FolderError(
                    f'{which}, by the orientation in their EXIF data, but '
                    'their masks are not: read both as they are stored, by '
                    "LoadImageFromFile with color_type='color_ignore_"
                    "orientation', or turn the pictures and save them anew."
                )
        warn(f'{which}; they are read as stored, like their masks.')
