"""Handwritten digits that come with scikit-learn: nothing to download."""

import numpy as np
from mmpretrain.datasets import BaseDataset

from ..registry import DATASETS

# Grey levels in the source are 0 to 16.
LEVELS = 16


@DATASETS.register_module()
class Digits(BaseDataset):
    """The handwritten digits of scikit-learn.

    1,797 real scans of 8x8 pixels and ten classes, the test part of the
    `UCI collection <https://doi.org/10.24432/C50P49>`_. The last fifth of
    each class is the test split, in the order of the collection: the same
    images with every version of scikit-learn.

    Args:
        split (str): 'train' (1,442 images) or 'test' (355). Defaults to
            'train'.
        max_per_class (int, optional): At most so many images of each class.
            Defaults to None.
        **kwargs: Arguments of :class:`mmpretrain.datasets.BaseDataset`.

    Raises:
        ValueError: If ``split`` is neither 'train' nor 'test'.
        ImportError: If scikit-learn is not installed.

    Example:
        >>> dataset = Digits(split='test')
        >>> len(dataset), dataset[0]['img'].shape
        (355, (8, 8, 3))
    """

    METAINFO = dict(classes=tuple('0123456789'))

    def __init__(
        self,
        split: str = 'train',
        max_per_class: int | None = None,
        **kwargs: object,
    ) -> None:
        if split not in ('train', 'test'):
            raise ValueError(f"split must be 'train' or 'test', not {split!r}")
        self.split = split
        self.max_per_class = max_per_class
        super().__init__(ann_file='', **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the images and choose those of the split.

        Returns:
            list[dict]: ``img``, an array (8, 8, 3) of uint8, and
            ``gt_label`` of each.
        """
        try:
            from sklearn.datasets import load_digits
        except ImportError as error:
            raise ImportError(
                'the Digits dataset comes with scikit-learn, which is not '
                'installed: pip install scikit-learn'
            ) from error
        source = load_digits()
        grey = np.rint(source.images * (255 / LEVELS)).astype(np.uint8)
        chosen = []
        for digit in range(10):
            found = np.flatnonzero(source.target == digit)
            cut = len(found) - len(found) // 5
            part = found[:cut] if self.split == 'train' else found[cut:]
            chosen += part[: self.max_per_class].tolist()
        return [
            dict(
                img=np.repeat(grey[i, :, :, None], 3, axis=2),
                gt_label=int(source.target[i]),
            )
            for i in sorted(chosen)
        ]

    def extra_repr(self) -> list[str]:
        """Describe what the base class cannot know."""
        return [f'Split: \t{self.split}']
