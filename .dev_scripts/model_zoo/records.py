"""One record for each config: its name, its cost and its results."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

# The last one is ours: the paper has the first two.
ARMS = ('baseline', 'mlfm', 'mlfm_lite')
PUBLISHED_ARMS = ARMS[:2]
COSTS = 'configs/zoo/costs.json'
PUBLISHED = 'configs/zoo/published_in100.csv'
MEASURED = 'configs/zoo/measured.json'

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
    'coco': 'COCO',
    'cityscapes': 'Cityscapes',
    'voc12': 'Pascal VOC 2012',
    'voc12aug': 'Pascal VOC 2012 (augmented)',
    'ade20k': 'ADE20K',
    'drive': 'DRIVE',
}


class Task(NamedTuple):
    """What the networks of a host are for.

    Args:
        name (str): The task, as OpenMMLab's metafiles call it.
        metric (str): The key of the metric that counts in the logs; a
            percentage.
        title (str): The metric above the column of a table.
        label (str): The metric in a metafile.
    """

    name: str
    metric: str
    title: str
    label: str


# By the scope of the host, which each config names as its default_scope.
TASKS = {
    'mmpretrain': Task(
        'Image Classification', 'accuracy/top1', 'top-1', 'Top 1 Accuracy'
    ),
    'mmseg': Task('Semantic Segmentation', 'mIoU', 'mIoU', 'mIoU'),
    'mmdet': Task('Object Detection', 'coco/bbox_mAP', 'AP', 'box AP'),
    'mmpose': Task('Body 2D Keypoint', 'coco/AP', 'AP', 'AP'),
}


@dataclass(frozen=True)
class Record:
    """A config of the zoo and all that is known about it.

    Args:
        path (str): The config from the top of the repository. Its name is
            that of the network, then that of the data set.
        params (int): Number of parameters, all heads included.
        macs (int): Multiply-adds for one image.
        size (tuple[int, int]): Height and width of that image.
        scope (str): The host's scope, ``'mmpretrain'`` or ``'mmseg'``.
        published (float, optional): The metric in the paper. Defaults to
            None.
        runs (tuple[dict]): Our runs, as :mod:`model_zoo.runs` describes
            them. Defaults to none.

    Example:
        >>> path = 'configs/mlfm/resnet18_in100.py'
        >>> record = Record(path, 1000, 2000, (512, 1024), 'mmpretrain')
        >>> record.network, record.dataset, record.name, record.pixels
        ('resnet18', 'ImageNet-100', 'resnet18-mlfm_in100', '512x1024')
    """

    path: str
    params: int
    macs: int
    size: tuple[int, int]
    scope: str
    published: float | None = None
    runs: tuple[dict[str, Any], ...] = ()

    @property
    def arm(self) -> str:
        """str: One of ``ARMS``."""
        return PurePosixPath(self.path).parent.name

    @property
    def stem(self) -> str:
        """str: Name of the file without its ending."""
        return PurePosixPath(self.path).stem

    @property
    def network(self) -> str:
        """str: The network."""
        return self.stem.rpartition('_')[0]

    @property
    def dataset(self) -> str:
        """str: The data set's name for people."""
        return DATASETS[self.stem.rpartition('_')[2]]

    @property
    def name(self) -> str:
        """str: The name under which ``mmpretrain.get_model`` knows it."""
        network, _, data = self.stem.rpartition('_')
        mark = '' if self.arm == 'baseline' else f'-{self.arm}'
        return f'{network}{mark}_{data}'

    @property
    def pixels(self) -> str:
        """str: The size of the image for people."""
        height, width = self.size
        return str(height) if height == width else f'{height}x{width}'

    @property
    def task(self) -> Task:
        """Task: What the network is for."""
        return TASKS[self.scope]

    def mean(self, key: str) -> float:
        """Average ``'best'`` or ``'final'`` over the runs."""
        return sum(run[key] for run in self.runs) / len(self.runs)


def find_configs(root: Path) -> list[str]:
    """List the configs of the zoo.

    Args:
        root (Path): The top of the repository.

    Returns:
        list[str]: Paths from there, by data set and network, each baseline
        followed by its MLFM and, where there is one, by its lite form.
    """
    keys = []
    for arm in ARMS:
        for path in (root / 'configs' / arm).glob('*.py'):
            network, _, data = path.stem.rpartition('_')
            keys.append((data, network, arm, f'configs/{arm}/{path.name}'))
    return [path for *_, path in sorted(keys)]


def read_records(root: Path) -> list[Record]:
    """Read all that is known about the configs.

    Args:
        root (Path): The top of the repository.

    Returns:
        list[Record]: A record for each, in the order of
        :func:`find_configs`.

    Raises:
        ValueError: There is a config without counts, or counts without a
            config.
    """
    paths, costs = find_configs(root), read_json(root / COSTS)
    differ = sorted(set(costs) ^ set(paths))
    if differ:
        raise ValueError(
            f'{COSTS} does not fit the configs: {", ".join(differ)}; run '
            'python .dev_scripts/zoo.py costs'
        )
    published = read_published(root)
    measured = read_json(root / MEASURED)
    return [
        Record(
            path,
            **dict(costs[path], size=tuple(costs[path]['size'])),
            published=published.get(path),
            runs=tuple(measured.get(path, ())),
        )
        for path in paths
    ]


def read_published(root: Path) -> dict[str, float]:
    """Read the top-1 of the paper's table, by the path of the config."""
    with open(root / PUBLISHED, newline='', encoding='utf-8') as file:
        return {
            f'configs/{arm}/{row["network"].lower()}_in100.py': float(
                row[f'{arm}_top1']
            )
            for row in csv.DictReader(file)
            for arm in PUBLISHED_ARMS
        }


def read_json(path: Path) -> dict[str, Any]:
    """Read a data file, which need not be there."""
    return json.loads(path.read_text('utf-8')) if path.is_file() else {}
