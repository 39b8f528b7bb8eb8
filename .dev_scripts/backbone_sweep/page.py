"""The tables of docs/backbones.md, from the outcomes of the sweep."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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
HEAD = 'networks of|found|hold|pass tokens|others|do not run'
# What the message of an error means to a reader.
REASONS = {
    r'passes tokens|window size': TOKENS,
    r"Retriever.* argument 'neck'": 'a retriever has no neck (below)',
    r"missing \d required .*'mask'": 'its backbone needs a mask (below)',
    r"'encoder_stride'": 'its decoder stands in place of the neck (below)',
}


def generate(root: Path) -> dict[str, str]:
    """Lay out the outcomes."""
    rows = read(root / outcomes.FILE)
    blocks = {
        'sweep': sums(rows, SWEPT, HEAD, (HELD, TOKENS)),
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


def sums(
    rows: Sequence[Outcome],
    sources: Sequence[str],
    head: str,
    known: Sequence[str],
    explain: Callable[[Outcome], str] = reason,
) -> str:
    """Count the networks of each source: ``known`` outcomes, then others."""
    lines = []
    for source in sources:
        counts = Counter(
            row.verdict if row.verdict in (HELD, NOT_RUN) else explain(row)
            for row in rows
            if row.source == source
        )
        numbers = [counts[outcome] for outcome in known]
        others = counts.total() - sum(numbers) - counts[NOT_RUN]
        if counts:
            all_of = source, counts.total()
            lines.append((*all_of, *numbers, others, counts[NOT_RUN]))
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
