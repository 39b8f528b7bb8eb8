"""Blocks of the pages that tell what was measured: from docs/results/."""

from __future__ import annotations

from pathlib import Path


def generate(root: Path) -> dict[str, str]:
    """Take the tables from the files that the tools wrote.

    Args:
        root (Path): The top of the repository.

    Returns:
        dict[str, str]: Texts by the place where they stand.
    """
    results = root / 'docs' / 'results'
    return {
        'docs/quickstart.md#quickstart': read_table(results / 'quickstart'),
        'docs/segmentation.md#camvid': read_table(results / 'camvid'),
    }


def read_table(folder: Path) -> str:
    """Read the table that a tool wrote into a folder, with its caption."""
    return (folder / 'results.md').read_text('utf-8').strip()
