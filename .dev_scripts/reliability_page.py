"""Tables of docs/reliability.md: the outcomes of kill test and harm test."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from textwrap import shorten

from mlfm_mm.analysis.tables import markdown_table

RESULTS = 'docs/results/reliability'
PAGE = 'docs/reliability.md'
# As the kill test has them, in the order of the page.
WAYS = {
    'ours': 'our hooks',
    'keep_all': "MMEngine's default",
    'keep_one': 'MMEngine, last and best kept',
}
WIDTH = 90
OUTCOMES = ('same bits', 'other weights', 'cannot go on')


def generate(root: Path) -> dict[str, str]:
    """Write the tables from the records."""
    results = root / RESULTS
    runs = [
        run
        for path in sorted(results.glob('kills_*.json'))
        for run in json.loads(path.read_text('utf-8'))
    ]
    inputs = json.loads((results / 'inputs.json').read_text('utf-8'))
    return {
        f'{PAGE}#kills': kills_table(runs),
        f'{PAGE}#inputs': inputs_table(inputs),
    }


def kills_table(runs: list[dict]) -> str:
    """Tabulate how runs ended, by what they were killed by.

    Args:
        runs (list[dict]): The records of the kill test.

    Returns:
        str: A table in Markdown.
    """
    rows = []
    for kind in dict.fromkeys(run['kind'] for run in runs):
        cells = [
            sum_up([r for r in runs if (r['kind'], r['way']) == (kind, way)])
            for way in WAYS
        ]
        rows.append([kind, *cells])
    titles = ['killed by', *WAYS.values()]
    return markdown_table(titles, rows, 'l' * len(titles))


def sum_up(runs: list[dict]) -> str:
    """Count the outcomes of some runs.

    Args:
        runs (list[dict]): Records of one way and kind.

    Returns:
        str: Such as '3 of 5 same bits, 2 cannot go on'.

    Example:
        >>> sum_up([dict(outcome='same bits'), dict(outcome='cannot go on')])
        '1 of 2 same bits, 1 cannot go on'
    """
    counts = Counter(run['outcome'] for run in runs)
    first, *others = OUTCOMES
    parts = [f'{counts[first]} of {len(runs)} {first}']
    parts += [f'{counts[name]} {name}' for name in others if counts[name]]
    return ', '.join(parts) if runs else '-'


def inputs_table(rows: list[dict]) -> str:
    """Tabulate the outcomes by the damage.

    Args:
        rows (list[dict]): The records of the harm test.

    Returns:
        str: A table in Markdown.
    """
    columns = {'input': 'what is left', 'ours': WAYS['ours']}
    columns['keep_all'] = WAYS['keep_all']
    # The rest of a message is in the records.
    cells = [
        [shorten(row[key], WIDTH, placeholder=' ...') for key in columns]
        for row in rows
    ]
    return markdown_table([*columns.values()], cells, 'lll')
