"""The tables for people: configs/*/README.md and the README's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from .entries import FOLDERS, Entry
from .zoo import Zoo

NOTE = '<!-- Written by tools/zoo.py tables: edit nothing here. -->'
TITLES = dict(
    baseline='The networks without memory', mlfm='The networks with MLFM'
)
ABOUT = dict(
    baseline='Each is the same network as its namesake in `configs/mlfm`.',
    mlfm='Each file is its namesake in `configs/baseline` plus '
    "`model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))`, nothing else.",
)
LEGEND = """\
- **Top-1 published**: from the paper (https://arxiv.org/abs/2403.08157), one
  run each; its MobileNetV2 rows compare the last epoch without memory with
  the best epoch with it.
- **Top-1 measured**: our own runs of these configs; best and last epoch, the
  mean over the seeds. A dash: not run yet.
- **Params** and **MACs** are computed from the configs by
  `python tools/zoo.py costs`, the classifier included; MACs count
  convolutions and linear layers for one image of the size of validation."""
USE = """\
    python tools/train.py configs/{folder}/resnet18_in100.py
    tools/dist_train.sh configs/{folder}/resnet18_in100.py 8

The batch of a step is shared out to the GPUs, so that any number of them
trains by the published recipe. In Python:

    import mlfm_mm
    from mmpretrain import get_model

    model = get_model('resnet18{mark}_in100')"""


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
        parts += [f'## {dataset}', '\n'.join(rows(zoo, list(group)))]
    return '\n\n'.join(parts) + '\n'


def rows(zoo: Zoo, entries: list[Entry]) -> Iterator[str]:
    """Write a table of configs, line by line."""
    yield (
        '| config | image | params (M) | MACs (G) | top-1 published | '
        'top-1 measured |'
    )
    yield '|---|---:|---:|---:|---:|---|'
    for entry in entries:
        cost = zoo.costs[entry.path]
        published = zoo.published.get(entry.path)
        yield (
            f'| [{entry.stem}]({entry.stem}.py) | {cost.size} '
            f'| {cost.params / 1e6:.4f} | {cost.macs / 1e9:.4f} '
            f'| {"-" if published is None else f"{published:.2f}"} '
            f'| {zoo.measured.get(entry.path) or "-"} |'
        )


def summary(zoo: Zoo) -> str:
    """Write the table of the published networks, both arms in a row.

    Args:
        zoo (Zoo): The configs and their figures.

    Returns:
        str: Markdown, for the README of the project.
    """
    lines = [
        '| network | params (M) | with MLFM | MACs (G) | with MLFM | '
        'top-1 published | with MLFM | top-1 measured | with MLFM |',
        '|---|' + '---:|' * 8,
    ]
    for entry in zoo.entries:
        if entry.folder == 'mlfm' or entry.path not in zoo.published:
            continue
        pair = [entry.path, Entry('mlfm', entry.stem).path]
        costs = [zoo.costs[path] for path in pair]
        measured = [zoo.measured.get(path) for path in pair]
        cells = [
            entry.network,
            *(f'{cost.params / 1e6:.3f}' for cost in costs),
            *(f'{cost.macs / 1e9:.3f}' for cost in costs),
            *(f'{zoo.published[path]:.2f}' for path in pair),
            *(f'{m.best:.2f} / {m.final:.2f}' if m else '-' for m in measured),
        ]
        lines.append(f'| {" | ".join(cells)} |')
    return '\n'.join(lines)
