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
        'docs/quickstart.md#quickstart': read_text(
            results / 'quickstart' / 'results.md'
        ),
        'docs/segmentation.md#camvid': read_text(
            results / 'camvid' / 'classes.md'
        ),
    }


def read_text(table: Path) -> str:
    """Read the table that a tool wrote, with its caption."""
    return table.read_text('utf-8').strip()
