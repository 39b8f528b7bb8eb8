"""The tables for people: configs/*/README.md and the README's."""

from __future__ import annotations

from itertools import groupby
from pathlib import PurePosixPath

from ..tables import markdown_table
from .entries import FOLDERS, Entry
from .zoo import Zoo

NOTE = '<!-- Written by tools/zoo.py tables: edit nothing here. -->'
TITLES = dict(
    baseline='The networks without memory', mlfm='The networks with MLFM'
)
ABOUT = dict(
    baseline='Each is the same network as its namesake in `configs/mlfm`.',
    mlfm="""\
Each file is its namesake in `configs/baseline` plus an override of the neck,
`model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))`, nothing else.""",
)
LEGEND = """\
A name is the network, then the data set; that of the paper's networks is the
one of its table, in lower case.

- **published**: from the paper (https://arxiv.org/abs/2403.08157), one run
  each; its MobileNetV2 rows compare the last epoch without memory with the
  best epoch with it. A dash: not in the paper; for FCN and U-Net, which the
  method is claimed for, published figures could not be found.
- **measured**: our own runs of these configs on the data set that the title
  names, by `python tools/zoo.py results`; best and last epoch, the mean over
  the seeds. A dash: not run yet.
- **params** and **MACs** are computed from the configs by
  `python tools/zoo.py costs`, all heads included; MACs count convolutions and
  linear layers on the way from an image to its prediction. The **image** has
  the size of validation, that of a segmentor the size of a training crop."""
USE = """\
    python tools/train.py configs/{folder}/resnet18_in100.py
    tools/dist_train.sh configs/{folder}/resnet18_in100.py 8

The batch of a step is shared out to the GPUs, so that any number of them
trains by the published recipe. In Python:

    import mlfm_mm
    from mmpretrain import get_model

    model = get_model('resnet18{mark}_in100')"""
CAPTION = """\
ImageNet-100, validation set. **Published** top-1 is from the paper, one run
each; its MobileNetV2 rows compare the last epoch without memory with the best
epoch with it. Parameters, with the classifier, and MACs are those of our
configs. {measured}
"""


def pages(zoo: Zoo) -> dict[str, str]:
    """Write the pages of the folders of configs.

    Args:
        zoo (Zoo): The configs and their figures.

    Returns:
        dict[str, str]: Contents by path from the top of the repository.
    """
    return {
        f'configs/{folder}/README.md': page(zoo, folder) for folder in FOLDERS
    }


def page(zoo: Zoo, folder: str) -> str:
    """Write the page of a folder.

    Args:
        zoo (Zoo): The configs and their figures.
        folder (str): ``'baseline'`` or ``'mlfm'``.

    Returns:
        str: Markdown.
    """
    mark = '-mlfm' if folder == 'mlfm' else ''
    parts = [
        f'# {TITLES[folder]}',
        NOTE,
        ABOUT[folder],
        USE.format(folder=folder, mark=mark),
        LEGEND,
    ]
    entries = [entry for entry in zoo.entries if entry.folder == folder]
    # The published table first.
    entries.sort(key=lambda e: (e.data != 'in100', e.dataset))
    for dataset, group in groupby(entries, key=lambda e: e.dataset):
        parts += [f'## {dataset}', config_table(zoo, list(group))]
    return '\n\n'.join(parts) + '\n'


def config_table(zoo: Zoo, entries: list[Entry]) -> str:
    """Write a table of configs."""
    metric = zoo.tasks[entries[0].path].title
    titles = ['config', 'image', 'params (M)', 'MACs (G)']
    titles += [f'{metric} published', f'{metric} measured']
    rows = []
    for entry in entries:
        cost = zoo.costs[entry.path]
        published = zoo.published.get(entry.path)
        rows.append(
            [
                f'[{entry.stem}]({entry.stem}.py)',
                cost.pixels,
                f'{cost.params / 1e6:.4f}',
                f'{cost.macs / 1e9:.4f}',
                '-' if published is None else f'{published:.2f}',
                zoo.measured.get(entry.path) or '-',
            ]
        )
    return markdown_table(titles, rows, 'lrrrrl')


def summary(zoo: Zoo) -> str:
    """Write the table of the published networks, both arms in a row.

    Args:
        zoo (Zoo): The configs and their figures.

    Returns:
        str: Markdown, for the README of the project.
    """
    stems = {entry.stem for entry in zoo.entries}
    # In the order of the paper's table.
    pairs = [
        (Entry('baseline', stem), Entry('mlfm', stem))
        for stem in map(stem_of, zoo.published)
        if stem in stems
    ]
    pairs = list(dict.fromkeys(pairs))
    runs = any(e.path in zoo.measured for pair in pairs for e in pair)
    head = ['network', 'published', 'with MLFM']
    head += ['measured', 'with MLFM'] if runs else []
    table = markdown_table(
        [*head, 'params (M)', 'MACs (G)'],
        [summary_row(zoo, pair, runs) for pair in pairs],
    )
    measured = (
        '**Measured**: best / last epoch of our own runs.'
        if runs
        else 'Nothing in this table was measured here.'
    )
    return f'{CAPTION.format(measured=measured)}\n{table}'


def summary_row(zoo: Zoo, pair: tuple[Entry, Entry], runs: bool) -> list[str]:
    """Lay out one network.

    Args:
        zoo (Zoo): The configs and their figures.
        pair (tuple[Entry, Entry]): Without and with memory.
        runs (bool): Whether the table tells measured results.

    Returns:
        list[str]: The cells of a row.
    """
    paths = [entry.path for entry in pair]
    costs = [zoo.costs[path] for path in paths]
    cells = [f'[{pair[0].network}]({paths[1]})']
    cells += [f'{zoo.published[path]:.2f}' for path in paths]
    if runs:
        found = [zoo.measured.get(path) for path in paths]
        cells += [f'{m.best:.2f} / {m.final:.2f}' if m else '-' for m in found]
    cells.append(' → '.join(f'{cost.params / 1e6:.3f}' for cost in costs))
    cells.append(' → '.join(f'{cost.macs / 1e9:.3f}' for cost in costs))
    return cells


def stem_of(path: str) -> str:
    """Get the stem of a config from its path."""
    return PurePosixPath(path).stem
