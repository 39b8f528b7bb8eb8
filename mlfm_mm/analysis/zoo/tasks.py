"""How the hosts measure a network, and what their results are called."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """What the networks of a host are for.

    Args:
        name (str): The task, as OpenMMLab's metafiles call it.
        metric (str): The metric that counts, by its key in the logs; a
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
        name='Image Classification',
        metric='accuracy/top1',
        title='top-1',
        label='Top 1 Accuracy',
    ),
    'mmseg': Task(
        name='Semantic Segmentation',
        metric='mIoU',
        title='mIoU',
        label='mIoU',
    ),
}
