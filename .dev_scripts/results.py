"""Blocks of the pages that tell what was measured: from docs/results/."""

from __future__ import annotations

from pathlib import Path

from mlfm_mm.analysis.benchmark.page import readme_table, write_page


def generate(root: Path) -> dict[str, str]:
    """Take the tables from the files that the tools wrote.

    Args:
        root (Path): The top of the repository.

    Returns:
        dict[str, str]: Texts by the place where they stand.
    """
    results = root / 'docs' / 'results'
    cost = results / 'performance'
    return {
        'README.md#quickstart': read_table(results / 'quickstart'),
        'README.md#cost': readme_table(cost),
        'docs/segmentation.md#camvid': read_table(results / 'camvid'),
        'docs/performance.md': write_page(cost),
    }


def read_table(folder: Path) -> str:
    """Read the table that a tool wrote into a folder, with its caption."""
    return (folder / 'results.md').read_text('utf-8').strip()
