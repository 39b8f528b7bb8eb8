"""The metafiles, by which OpenMMLab's tools find the zoo."""

from __future__ import annotations

from typing import Any

import yaml

from .records import ARMS, Record

HEADER = '# Written by `make docs`: edit nothing here.\n'
PAPER = dict(
    URL='https://arxiv.org/abs/2403.08157',
    Title='Multiscale Low-Frequency Memory Network for Improved Feature '
    'Extraction in Convolutional Neural Networks',
)
# Of the networks whose weights are in the repository, written by hand.
TRAINED_HERE = 'configs/evidence/metafile.yml'
COLLECTIONS = dict(
    baseline='MLFM baselines', mlfm='MLFM', mlfm_lite='MLFM lite'
)


def metafiles(records: list[Record]) -> dict[str, str]:
    """Write the metafile of each arm and the model index.

    Args:
        records (list[Record]): The configs.

    Returns:
        dict[str, str]: Contents by path from the top of the repository.
    """
    files: dict[str, Any] = {}
    for arm in ARMS:
        collection = dict(
            Name=COLLECTIONS[arm],
            Metadata=dict(Architecture=['Convolutional Neural Network']),
            Paper=PAPER,
            README=f'configs/{arm}/README.md',
        )
        models = [model(record) for record in records if record.arm == arm]
        files[f'configs/{arm}/metafile.yml'] = dict(
            Collections=[collection], Models=models
        )
    files['model-index.yml'] = dict(Import=[*files, TRAINED_HERE])
    return {
        path: HEADER + yaml.safe_dump(content, sort_keys=False, width=75)
        for path, content in files.items()
    }


def model(record: Record) -> dict[str, Any]:
    """Describe a config."""
    return {
        'Name': record.name,
        'Metadata': {
            'Training Data': record.dataset,
            'FLOPs': record.macs,
            'Parameters': record.params,
        },
        'In Collection': COLLECTIONS[record.arm],
        'Config': record.path,
        'Results': results(record),
    }


def results(record: Record) -> list[dict[str, Any]]:
    """List the results, each with its source in the name of the data set.

    Without results there is an entry with the task alone, which mmpretrain
    chooses an inferencer by.

    Args:
        record (Record): The config.

    Returns:
        list[dict]: The results.
    """
    task = record.task
    found: list[tuple[str, dict[str, Any] | None]] = []
    if record.published is not None:
        found.append((' (published)', {task.label: record.published}))
    if record.runs:
        metrics = {
            task.label: round(record.mean('best'), 2),
            f'{task.label} at the end': round(record.mean('final'), 2),
            'Runs': len(record.runs),
        }
        found.append((' (measured)', metrics))
    return [
        dict(
            Task=task.name,
            Dataset=f'{record.dataset}{source}',
            Metrics=metrics,
        )
        for source, metrics in found or [('', None)]
    ]
