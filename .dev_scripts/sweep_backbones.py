"""Try MLFMNeck on every network that the hosts ship, and save the outcomes.

    python .dev_scripts/sweep_backbones.py             all that is installed
    python .dev_scripts/sweep_backbones.py timm        one source again

A source is a host, of which each architecture among the shipped configs is
built as it is and with memory in front of its neck, or a library of raw
networks, one of each family. Both run on tensors without data where they can:
what has to hold is that the model with memory returns the shapes of the plain
one, that its taps miss no resolution, and that each weight of the neck gets a
gradient.
The outcome goes to docs/results/backbones.csv, from which ``make docs``
writes the tables of docs/backbones.md and docs/hosts.md.

The hosts of docs/hosts.md have environments of their own, which
``make test-hosts`` sets up; ``make sweep`` runs this file in each.
"""

from __future__ import annotations

import logging
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.progress import track

from backbone_sweep.attempt import attempt_all
from backbone_sweep.networks import SOURCES
from backbone_sweep.outcomes import FILE, Outcome, read, write
from mlfm_mm.engine.arguments import make_parser

RESULTS = Path(__file__).resolve().parents[1] / FILE


def main() -> None:
    """Try the sources, and keep the outcomes of the others."""
    parser = make_parser(__doc__)
    parser.add_argument('sources', nargs='*', choices=[*SOURCES, []])
    installed = [s for s in SOURCES if find_spec(s.rpartition(' ')[2])]
    chosen = parser.parse_args().sources or installed
    logging.disable(logging.INFO)  # each neck logs its taps
    warnings.filterwarnings('ignore')
    rows: dict[str, list[Outcome]] = {source: [] for source in SOURCES}
    for row in read(RESULTS):
        rows[row.source].append(row)
    for source in chosen:
        networks = track(list(SOURCES[source]()), source)
        rows[source] = list(attempt_all(source, networks))
        write(
            RESULTS, [row for of_source in rows.values() for row in of_source]
        )


if __name__ == '__main__':
    main()
