"""Fill the table of the quickstart in README.md from the file of its run.

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

from mlfm_mm.analysis.marks import fill as fill_part  # noqa: E402

README = ROOT / 'README.md'
QUICKSTART = ROOT / 'docs/results/quickstart/results.md'


def fill(text: str) -> str:
    """Put the table between its marks.

    Args:
        text (str): The README.

    Returns:
        str: The README with its table renewed.
    """
    table = QUICKSTART.read_text(encoding='utf-8').strip()
    return fill_part(text, 'quickstart', table)


def main() -> None:
    """Write README.md."""
    README.write_text(fill(README.read_text(encoding='utf-8')), 'utf-8')


if __name__ == '__main__':
    main()
