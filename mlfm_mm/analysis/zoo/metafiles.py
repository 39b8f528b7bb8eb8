"""The files from which OpenMMLab's tools learn of the zoo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .entries import FOLDERS, Entry
from .results import Measured
from .tasks import Task
from .zoo import Zoo

HEADER = '# Written by tools/zoo.py tables: edit nothing here.\n'
MODEL_INDEX = 'model-index.yml'
PAPER = dict(
    URL='https://arxiv.org/abs/2403.08157',
    Title='Multiscale Low-Frequency Memory Network for Improved Feature '
    'Extraction in Convolutional Neural Networks',
)
COLLECTIONS = dict(baseline='MLFM baselines', mlfm='MLFM')


def metafiles(zoo: Zoo) -> dict[str, str]:
    """Write the metafile of each folder and the model index.

    Args:
        zoo (Zoo): The configs and their figures.

    Returns:
        dict[str, str]: Contents by path from the top of the repository.
    """
    files = {
        f'configs/{folder}/metafile.yml': metafile(zoo, folder)
        for folder in FOLDERS
    }
    files[MODEL_INDEX] = HEADER + dump(dict(Import=list(files)))
    return files


def metafile(zoo: Zoo, folder: str) -> str:
    """Write the metafile of a folder.

    Args:
        zoo (Zoo): The configs and their figures.
        folder (str): ``'baseline'`` or ``'mlfm'``.

    Returns:
        str: The file.
    """
    collection = dict(
        Name=COLLECTIONS[folder],
        Metadata=dict(Architecture=['Convolutional Neural Network']),
        Paper=PAPER,
        README=f'configs/{folder}/README.md',
    )
    models = [model(zoo, e) for e in zoo.entries if e.folder == folder]
    content = dict(Collections=[collection], Models=models)
    return HEADER + dump(content)


def model(zoo: Zoo, entry: Entry) -> dict[str, Any]:
    """Describe a config.

    Args:
        zoo (Zoo): The configs and their figures.
        entry (Entry): The config.

    Returns:
        dict: Its part of the metafile.
    """
    cost = zoo.costs[entry.path]
    found: dict[str, Any] = dict(
        Name=entry.model,
        Metadata={
            'Training Data': entry.dataset,
            'FLOPs': cost.macs,
            'Parameters': cost.params,
        },
    )
    found['In Collection'] = COLLECTIONS[entry.folder]
    found['Config'] = entry.path
    found['Results'] = list(
        results(
            zoo.tasks[entry.path],
            entry,
            zoo.published.get(entry.path),
            zoo.measured.get(entry.path),
        )
    )
    return found


def results(
    task: Task,
    entry: Entry,
    published: float | None,
    measured: Measured | None,
) -> list[dict[str, Any]]:
    """List the results, each with its source in the name of the data set.

    Where nothing is known the task alone is told, by which mmpretrain finds
    the inferencer.

    Args:
        task (Task): The task.
        entry (Entry): The config.
        published (float, optional): The metric in the paper.
        measured (Measured, optional): Results of our runs.

    Returns:
        list[dict]: The results.
    """
    found: list[tuple[str, dict[str, Any] | None]] = []
    if published is not None:
        found.append((' (published)', {task.label: published}))
    if measured is not None:
        metrics = {
            task.label: round(measured.best, 2),
            f'{task.label} at the end': round(measured.final, 2),
            'Runs': len(measured.runs),
        }
        found.append((' (measured)', metrics))
    return [
        dict(
            Task=task.name, Dataset=f'{entry.dataset}{source}', Metrics=metrics
        )
        for source, metrics in found or [('', None)]
    ]


def dump(content: Any) -> str:
    """Write YAML in the order of the content."""
    return yaml.safe_dump(content, sort_keys=False, width=75)


def out_of_date(root: Path, files: dict[str, str]) -> list[str]:
    """List the generated files that differ from what lies there.

    Args:
        root (Path): The top of the repository.
        files (dict[str, str]): Contents by path.

    Returns:
        list[str]: Paths.
    """
    return [
        name
        for name, text in files.items()
        if not (root / name).is_file()
        or (root / name).read_text(encoding='utf-8') != text
    ]
