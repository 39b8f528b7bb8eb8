"""Fill the tables of README.md from the files they come from.

    python docs/fill_readme.py

writes between the marks ``<!-- name: begin -->`` and ``<!-- name: end -->``;
the tests fail when what stands there is not what this script would write.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / 'README.md'
QUICKSTART = ROOT / 'docs/results/quickstart/results.md'
PUBLISHED = ROOT / 'configs/zoo/published_in100.csv'
COSTS = ROOT / 'configs/zoo/costs.json'


def quickstart_table() -> str:
    """The table that a run of the quickstart saved."""
    return QUICKSTART.read_text(encoding='utf-8').strip()


def published_table() -> str:
    """Published accuracies beside the costs of our configs."""
    lines = [
        '| network | top-1 baseline | top-1 MLFM | params (M) | MACs (G) |',
        '|---|---:|---:|---:|---:|',
    ]
    costs = json.loads(COSTS.read_text(encoding='utf-8'))
    with open(PUBLISHED, encoding='utf-8') as file:
        for row in csv.DictReader(file):
            lines.append(published_row(row, costs))
    return '\n'.join(lines)


def published_row(row: dict[str, str], costs: dict[str, dict]) -> str:
    """Lay out one network."""
    name = row['network']
    plain, mlfm = (
        costs[f'configs/{arm}/{name.lower()}_in100.py']
        for arm in ('baseline', 'mlfm')
    )
    params = f'{plain["params"] / 1e6:.2f} → {mlfm["params"] / 1e6:.2f}'
    macs = f'{plain["macs"] / 1e9:.2f} → {mlfm["macs"] / 1e9:.2f}'
    cells = (name, row['baseline_top1'], row['mlfm_top1'], params, macs)
    return f'| {" | ".join(cells)} |'


def fill(text: str) -> str:
    """Put each table between its marks.

    Args:
        text (str): The README.

    Returns:
        str: The README with its tables renewed.
    """
    tables = dict(quickstart=quickstart_table(), published=published_table())
    for name, table in tables.items():
        begin, end = f'<!-- {name}: begin -->', f'<!-- {name}: end -->'
        pattern = f'{re.escape(begin)}.*?{re.escape(end)}'
        block = f'{begin}\n{table}\n{end}'
        text = re.sub(pattern, lambda _: block, text, flags=re.DOTALL)  # noqa: B023
    return text


def main() -> None:
    """Write README.md."""
    README.write_text(fill(README.read_text(encoding='utf-8')), 'utf-8')


if __name__ == '__main__':
    main()
