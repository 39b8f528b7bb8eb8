"""Write docs/performance.md from the results of the benchmark.

    python docs/write_performance.py

The README's table of costs is written by ``make pages``.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A clone need not be installed.
sys.path.insert(0, str(ROOT))

from mlfm_mm.analysis.benchmark.page import write_page  # noqa: E402

PAGE = ROOT / 'docs/performance.md'
FOLDER = ROOT / 'docs/results/performance'


def write() -> None:
    """Write the page."""
    PAGE.write_text(write_page(FOLDER), encoding='utf-8')
    print(
        'wrote docs/performance.md; now run: make pages',
        flush=True,
    )


if __name__ == '__main__':
    write()
