"""Fill the tables of README.md and segmentation.md from files of runs.

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
from mlfm_mm.analysis.segmentation import read_results  # noqa: E402

README = ROOT / 'README.md'
QUICKSTART = ROOT / 'docs/results/quickstart/results.md'
CAMVID = ROOT / 'docs/results/camvid'
SEGMENTATION = ROOT / 'docs/segmentation.md'
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


def fill_segmentation(text: str) -> str:
    """Put the comparison on CamVid between its marks.

    Args:
        text (str): The page.

    Returns:
        str: The page with its table renewed.
    """
    return fill_part(text, 'camvid', read_results(CAMVID))


def main() -> None:
    """Write the documents."""
    text = SEGMENTATION.read_text(encoding='utf-8')
    SEGMENTATION.write_text(fill_segmentation(text), 'utf-8')
    README.write_text(fill(README.read_text(encoding='utf-8')), 'utf-8')


if __name__ == '__main__':
    main()
