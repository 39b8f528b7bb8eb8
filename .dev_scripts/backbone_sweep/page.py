"""The tables of docs/backbones.md, from the outcomes of the sweep."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from mlfm_mm.analysis.tables import markdown_table
from tests.models.refused_backbones import NOT_LISTED, REFUSED
from tests.models.zoo_of_backbones import SERVED, named

from . import outcomes
from .outcomes import HELD, NOT_RUN, Outcome, read

PAGE = 'docs/backbones.md'
HOSTS = ('mmpretrain', 'mmseg')
SWEPT = (*HOSTS, 'timm', 'torchvision')
TOKENS = 'passes tokens'
# What the message of an error means to a reader.
REASONS = {
    r'passes tokens|window size': TOKENS,
    r"Retriever.* argument 'neck'": 'a retriever has no neck (below)',
    r"missing \d required .*'mask'": 'its backbone needs a mask (below)',
    r"'encoder_stride'": 'its decoder stands in place of the neck (below)',
}


def generate(root: Path) -> dict[str, str]:
    """Lay out the outcomes.

    Args:
        root (Path): The top of the repository.

    Returns:
        dict[str, str]: Tables by the place where they stand.
    """
    rows = read(root / outcomes.FILE)
    blocks = {
        'sweep': sums([row for row in rows if row.source in SWEPT]),
        'exceptions': exceptions(r for r in rows if r.source in SWEPT),
    }
    for host in HOSTS:
        blocks[f'served-{host}'] = served(host, rows)
        blocks[f'refused-{host}'] = refused(host)
    return {f'{PAGE}#{name}': table for name, table in blocks.items()}


def reason(row: Outcome) -> str:
    """Explain to a reader why a network did not hold."""
    for pattern, text in REASONS.items():
        if re.search(pattern, row.why, re.DOTALL):
            return text
    return row.why.splitlines()[0]


def sums(rows: Sequence[Outcome]) -> str:
    """Count the architectures of each source."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        is_other = row.verdict not in (HELD, NOT_RUN)
        what = reason(row) if is_other else row.verdict
        counts.setdefault(row.source, Counter())[what] += 1
    lines = []
    for source in (source for source in SWEPT if source in counts):
        count = counts[source]
        known = [count[what] for what in (HELD, TOKENS, NOT_RUN)]
        others = count.total() - sum(known)
        numbers = (count.total(), *known[:2], others, known[2])
        lines.append((source, *map(str, numbers)))
    head = 'networks of|found|hold|pass tokens|others|do not run'
    return markdown_table(head.split('|'), lines)


def exceptions(rows: Iterable[Outcome]) -> str:
    """List the networks that do not hold, except those that pass tokens."""
    lines: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        if row.verdict not in (HELD, NOT_RUN) and reason(row) != TOKENS:
            key = row.source, row.kind, reason(row)
            lines.setdefault(key, []).append(row.example)
    return markdown_table(
        ('networks of', 'backbone', 'such as', 'why it does not hold'),
        [(*key[:2], names[0], key[2]) for key, names in lines.items()],
        'llll',
    )


def served(host: str, rows: Iterable[Outcome]) -> str:
    """List the classes of a host that hold."""
    known = {row.kind: row for row in rows if row.source.endswith(f' {host}')}
    lines = []
    for entry in SERVED:
        row = known.get(named(entry))
        if entry.host == host and row is not None:
            strides = row.strides.replace(' ', ', ')
            added = f'{int(row.added):,} ({row.share} %)' if row.added else ''
            taps = row.taps.replace(' ', ', ')
            lines.append((row.kind, taps, strides, added, entry.note))
    head = 'backbone', 'taps', 'strides', 'parameters added', 'note'
    return markdown_table(head, lines, 'lllrl')


def refused(host: str) -> str:
    """List the classes of a host that do not hold."""
    lines = [(named(e), e.reason) for e in REFUSED if e.host == host]
    rows = [*lines, *NOT_LISTED[host].items()]
    return markdown_table(('backbone', 'why'), rows, 'll')
