"""The tables of configs/*/README.md."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from mlfm_mm.analysis.tables import markdown_table

from .records import ARMS, Record


def blocks(records: list[Record], published: Iterable[str]) -> dict[str, str]:
    """Write all tables.

    Args:
        records (list[Record]): The configs.
        published (Iterable[str]): Paths of the paper's, in its order.

    Returns:
        dict[str, str]: Tables by the place where they stand.
    """
    places = {
        f'configs/{arm}/README.md#configs': arm_tables(
            [record for record in records if record.arm == arm]
        )
        for arm in ARMS
    }
    known = {record.path: record for record in records}
    ordered = [known[path] for path in published if path in known]
    places['configs/mlfm/README.md#published'] = published_table(ordered)
    return places


def arm_tables(records: list[Record]) -> str:
    """Write a table for each data set, the published one first."""
    records = sorted(
        records, key=lambda r: (r.dataset != 'ImageNet-100', r.dataset)
    )
    parts = []
    for dataset, group in groupby(records, key=lambda r: r.dataset):
        parts += [f'## {dataset}', config_table(list(group))]
    return '\n\n'.join(parts)


def config_table(records: list[Record]) -> str:
    """Write a row for each config of a data set."""
    metric = records[0].task.title
    published = any(record.published is not None for record in records)
    titles = ['config', 'image', 'params (M)', 'MACs (G)']
    titles += [f'{metric} published'] * published + [f'{metric} measured']
    rows = []
    for record in records:
        score = '-' if record.published is None else f'{record.published:.2f}'
        rows.append(
            [
                f'[{record.stem}]({record.stem}.py)',
                record.pixels,
                f'{record.params / 1e6:.4f}',
                f'{record.macs / 1e9:.4f}',
                *[score] * published,
                measured(record),
            ]
        )
    return markdown_table(titles, rows, 'lrrr' + 'r' * published + 'l')


def measured(record: Record) -> str:
    """Summarize the results of our runs.

    Args:
        record (Record): The config.

    Returns:
        str: The results, a dash without runs.

    Example:
        >>> run = dict(seed=0, length=90, unit='epochs')
        >>> run |= dict(best=81.0, best_at=70, final=80.0)
        >>> path = 'configs/mlfm/resnet18_in100.py'
        >>> two = (run, dict(run, seed=1, best=82.0))
        >>> measured(Record(path, 1, 1, (32, 32), 'mmpretrain', runs=two))
        '81.50 best, 80.00 last of 90 epochs, 2 seeds'
        >>> measured(Record(path, 1, 1, (32, 32), 'mmpretrain', runs=(run,)))
        '81.00 best (70), 80.00 last of 90 epochs, 1 seed'
    """
    runs = record.runs
    if not runs:
        return '-'
    # An average over seeds is at no single epoch.
    place = f' ({runs[0]["best_at"]})' if len(runs) == 1 else ''
    lengths = sorted({f'{run["length"]:,} {run["unit"]}' for run in runs})
    return (
        f'{record.mean("best"):.2f} best{place}, {record.mean("final"):.2f} '
        f'last of {" or ".join(lengths)}, {len(runs)} '
        f'seed{"s" if len(runs) > 1 else ""}'
    )


def published_table(records: list[Record]) -> str:
    """Write the table of the published networks, both arms in a row.

    Args:
        records (list[Record]): Baselines, each followed by its MLFM.

    Returns:
        str: The table, and below it where its scores are from.
    """
    titles = ['network', 'published', 'with MLFM', 'params (M)', 'MACs (G)']
    pairs = zip(records[::2], records[1::2], strict=True)
    rows = [
        [
            f'[{plain.network}]({mlfm.stem}.py)',
            f'{plain.published:.2f}',
            f'{mlfm.published:.2f}',
            f'{plain.params / 1e6:.3f} → {mlfm.params / 1e6:.3f}',
            f'{plain.macs / 1e9:.3f} → {mlfm.macs / 1e9:.3f}',
        ]
        for plain, mlfm in pairs
    ]
    table = markdown_table(titles, rows)
    return f'{table}\n\nNothing in this table was measured here.'
