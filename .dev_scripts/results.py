"""Blocks of the pages with measured results: from docs/results/."""

from __future__ import annotations

import json
from pathlib import Path

from mlfm_mm.analysis.robustness import areas, tabulate
from mlfm_mm.analysis.tables import markdown_table


def generate(root: Path) -> dict[str, str]:
    """Take the tables from the files that the tools wrote."""
    results = root / 'docs' / 'results'
    return {
        'docs/quickstart.md#quickstart': read_text(
            results / 'quickstart' / 'results.md'
        ),
        'docs/segmentation.md#camvid': read_text(
            results / 'camvid' / 'classes.md'
        ),
        'docs/analysis.md#spectrum': spectra(results / 'analysis'),
        'docs/analysis.md#areas': areas_under(results / 'evidence'),
    }


def read_text(table: Path) -> str:
    """Read the table that a tool wrote, with its caption."""
    return table.read_text('utf-8').strip()


def spectra(folder: Path) -> str:
    """Tabulate the shares of low frequencies of both trained pairs."""
    shares: dict[str, list[str]] = {}
    for pair in ('published', 'tiny20'):
        text = (folder / f'spectrum_{pair}.json').read_text('utf-8')
        for row in json.loads(text)['rows']:
            shares.setdefault(row['stage'], []).append(f'{row["low"]:.0%}')
    titles = ['stage', 'plain', 'MLFM', 'plain, small', 'MLFM, small']
    rows = [[stage, *cells] for stage, cells in shares.items()]
    return markdown_table(titles, rows)


def areas_under(folder: Path) -> str:
    """Tabulate the areas under the robustness curves of five pairs."""
    text = (folder / 'tiny20_again_robustness.json').read_text('utf-8')
    return tabulate(areas(json.loads(text))).markdown().strip()
