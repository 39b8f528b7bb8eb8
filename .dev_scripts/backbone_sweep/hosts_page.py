"""The tables of docs/hosts.md, from the outcomes of the sweep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlfm_mm.analysis.tables import markdown_table

from . import outcomes
from .networks import OTHER_HOSTS
from .outcomes import HELD, NOT_RUN, Outcome, read
from .page import TOKENS, reason, sums

PAGE = 'docs/hosts.md'
CLIPS = 'takes clips or sequences'
HEAD = 'host|found|hold|pass tokens|take clips|others|do not run'


def generate(root: Path) -> dict[str, str]:
    """Lay out the outcomes."""
    rows = [
        row for row in read(root / outcomes.FILE) if row.source in OTHER_HOSTS
    ]
    blocks = {
        'sweep': sums(rows, OTHER_HOSTS, HEAD, (HELD, TOKENS, CLIPS), why),
        'held': held(rows),
        'refused': others(rows),
    }
    return {f'{PAGE}#{name}': block for name, block in blocks.items()}


def why(row: Outcome) -> str:
    """Explain to a reader why a network did not hold."""
    return CLIPS if CLIPS in row.why else reason(row)


def parts(row: Outcome) -> tuple[str, str]:
    """Split a kind into model and backbone, without their scopes."""
    backbone, _, model = row.kind.partition(' in ')
    return model.rpartition('.')[2], backbone.rpartition('.')[2]


def held(rows: Sequence[Outcome]) -> str:
    """List the models of each host that hold, by their backbones."""
    lines: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.verdict == HELD:
            model, backbone = parts(row)
            lines.setdefault((row.source, backbone), []).append(model)
    return markdown_table(
        ('host', 'backbone', 'in'),
        [
            (*key, ', '.join(dict.fromkeys(sorted(models))))
            for key, models in lines.items()
        ],
        'lll',
    )


def others(rows: Sequence[Outcome]) -> str:
    """List the networks that do not hold, and why."""
    lines: dict[tuple[str, str, str, str], list[str]] = {}
    for row in rows:
        if row.verdict != HELD:
            model, backbone = parts(row)
            cause = why(row).replace('|', '\\|')
            what = 'does not run' if row.verdict == NOT_RUN else row.verdict
            key = row.source, backbone, model, f'{what}: {cause}'
            lines.setdefault(key, []).append(row.example)
    return markdown_table(
        ('host', 'backbone', 'in', 'such as', 'why'),
        [(*key[:3], names[0], key[3]) for key, names in lines.items()],
        'lllll',
    )
