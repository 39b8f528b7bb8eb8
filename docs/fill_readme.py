"""Fill the tables of README.md from the files of the runs behind them.

    python docs/fill_readme.py

The table of the published networks is written by ``tools/zoo.py tables``.
The tests fail when what stands there is not what these would write.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A clone need not be installed.
sys.path.insert(0, str(ROOT))

from mlfm_mm.analysis.benchmark.page import readme_table  # noqa: E402
from mlfm_mm.analysis.marks import fill as fill_part  # noqa: E402

README = ROOT / 'README.md'
QUICKSTART = ROOT / 'docs/results/quickstart/results.md'
PERFORMANCE = ROOT / 'docs/results/performance'


def fill(text: str) -> str:
    """Put the tables between their marks.

    Args:
        text (str): The README.

    Returns:
        str: The README with its tables renewed.
    """
    table = QUICKSTART.read_text(encoding='utf-8').strip()
    text = fill_part(text, 'quickstart', table)
    return fill_part(text, 'cost', readme_table(PERFORMANCE))


def main() -> None:
    """Write README.md."""
    README.write_text(fill(README.read_text(encoding='utf-8')), 'utf-8')


if __name__ == '__main__':
    main()
