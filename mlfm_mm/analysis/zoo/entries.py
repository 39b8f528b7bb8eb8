"""The configs of the zoo, as their names and folders tell them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDERS = ('baseline', 'mlfm')

# What the last part of a config's name stands for.
DATASETS = {
    'in100': 'ImageNet-100',
    'in1k': 'ImageNet-1k',
    'cifar10': 'CIFAR-10',
    'cifar100': 'CIFAR-100',
    'tiny100': 'Tiny ImageNet-100',
    'digits': 'Digits',
    'folder': 'Your images',
    'camvid': 'CamVid',
    'cityscapes': 'Cityscapes',
    'voc12': 'Pascal VOC 2012',
    'voc12aug': 'Pascal VOC 2012 (augmented)',
    'ade20k': 'ADE20K',
    'drive': 'DRIVE',
}


@dataclass(frozen=True)
class Entry:
    """A config of the zoo.

    Args:
        folder (str): ``'baseline'`` or ``'mlfm'``.
        stem (str): Name of the file without its ending, such as
            ``'resnet18_in100'``: the network, then the data set.

    Example:
        >>> entry = Entry('mlfm', 'resnet18_in100')
        >>> entry.path, entry.model
        ('configs/mlfm/resnet18_in100.py', 'resnet18-mlfm_in100')
    """

    folder: str
    stem: str

    @property
    def network(self) -> str:
        """str: The network, such as ``'resnet18'``."""
        return self.stem.rpartition('_')[0]

    @property
    def data(self) -> str:
        """str: The data set's short name, such as ``'in100'``."""
        return self.stem.rpartition('_')[2]

    @property
    def dataset(self) -> str:
        """str: The data set's name, such as ``'ImageNet-100'``."""
        return DATASETS.get(self.data, self.data)

    @property
    def path(self) -> str:
        """str: The config, from the top of the repository."""
        return f'configs/{self.folder}/{self.stem}.py'

    @property
    def model(self) -> str:
        """str: The name under which ``mmpretrain.get_model`` knows it."""
        mark = '-mlfm' if self.folder == 'mlfm' else ''
        return f'{self.network}{mark}_{self.data}'


def find_entries(root: Path) -> list[Entry]:
    """List the configs of the zoo.

    Args:
        root (Path): The folder that holds ``configs/``.

    Returns:
        list[Entry]: Sorted by data set and network, each baseline followed
        by its MLFM.
    """
    entries = [
        Entry(folder, path.stem)
        for folder in FOLDERS
        for path in (root / 'configs' / folder).glob('*.py')
    ]
    return sorted(entries, key=lambda e: (e.data, e.network, e.folder))
