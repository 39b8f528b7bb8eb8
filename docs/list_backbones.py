"""Write docs/backbones.md: each backbone, its taps and what they cost.

    python docs/list_backbones.py

takes about two minutes; the sweep over all backbones in the tests fails when
the page is not what this script would write.
"""

from __future__ import annotations

import logging
from pathlib import Path

from mlfm_mm.analysis.backbones_page import write_page

TARGET = Path(__file__).with_name('backbones.md')


def main() -> None:
    """Write the page."""
    logging.disable(logging.INFO)  # each neck tells its taps
    TARGET.write_text(write_page(), 'utf-8')


if __name__ == '__main__':
    main()
