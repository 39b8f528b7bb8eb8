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
        is_test = last_fifth(source.target)
        chosen = np.flatnonzero(is_test == (self.split == 'test'))
        ranks = rank_in_class(source.target[chosen])
        if self.max_per_class is not None:
            chosen = chosen[ranks < self.max_per_class]
        return [
            dict(
                img=np.repeat(grey[i, :, :, None], 3, axis=2),
                gt_label=int(source.target[i]),
            )
            for i in chosen
        ]

    def extra_repr(self) -> list[str]:
        """Describe what the base class cannot know."""
        return [f'Split: \t{self.split}']


def last_fifth(labels: np.ndarray) -> np.ndarray:
    """Mark the last fifth of each class.

    Args:
        labels (np.ndarray): The labels (N,).

    Returns:
        np.ndarray: The marks (N,), bool.

    Example:
        >>> last_fifth(np.array([0, 1, 0, 0, 0, 0, 1, 1, 1, 1])).nonzero()[0]
        array([5, 9])
    """
    counts = np.bincount(labels)[labels]
    return rank_in_class(labels) >= counts - counts // 5


def rank_in_class(labels: np.ndarray) -> np.ndarray:
    """Number the members of each class, from zero.

    Args:
        labels (np.ndarray): The labels (N,).

    Returns:
        np.ndarray: The numbers (N,).

    Example:
        >>> rank_in_class(np.array([0, 1, 0, 0, 1]))
        array([0, 0, 1, 2, 1])
    """
    ranks = np.zeros(len(labels), dtype=int)
    for value in np.unique(labels):
        members = np.flatnonzero(labels == value)
        ranks[members] = np.arange(len(members))
    return ranks
