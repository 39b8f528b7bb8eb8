"""The page ``docs/backbones.md``: what MLFMNeck makes of each backbone."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from ..models import MLFMNeck
from .backbones import SERVED, Refused, Served, build, title
from .refused_backbones import NOT_LISTED, REFUSED

HOSTS = ('mmpretrain', 'mmseg')
# The numbers of dictionaries would only make the table wide.
SHOWN = (bool, int, str)
UNSHOWN = ('type', 'model_name')

INTRODUCTION = """\
# Backbones

Written by `python docs/list_backbones.py` from the lists that the tests run
through ([backbones.py](../mlfm_mm/analysis/backbones.py),
[refused_backbones.py](../mlfm_mm/analysis/refused_backbones.py)): every
backbone that mmpretrain and mmseg register is in one of the tables. Each one
served was trained for a step at an image size that its strides divide and at
one that they do not: every parameter gets a gradient, and each unit reads a
feature that the unit before it refined.

The taps are those of `taps='auto'`, and the parameters those of a default
`MLFMNeck`, with their share of the backbone's own. For other taps, or for a
backbone that is not listed here, give `taps` a list of module names."""
SERVED_HEAD = """\
| backbone | taps | strides | parameters added | note |
|---|---|---|---:|---|"""
REFUSED_HEAD = """\
| backbone | why |
|---|---|"""


def adopt(entry: Served) -> tuple[nn.Module, MLFMNeck]:
    """Build a listed backbone and let a neck bind itself to it.

    Args:
        entry (Served): The backbone.

    Returns:
        tuple[nn.Module, MLFMNeck]: The backbone and the bound neck.
    """
    model = nn.Module()
    model.backbone = build(entry)
    model.neck = MLFMNeck()
    return model.backbone, model.neck


def served_row(entry: Served, backbone: nn.Module, neck: MLFMNeck) -> str:
    """Lay out what a neck made of a backbone.

    Args:
        entry (Served): The listed backbone.
        backbone (nn.Module): The one that was built.
        neck (MLFMNeck): The neck that was bound to it.

    Returns:
        str: A line of the table of served backbones.
    """
    own, added = _count(backbone), _count(neck)
    cells = (
        named(entry),
        ', '.join(tap.module for tap in neck.taps),
        ', '.join(str(tap.reduction) for tap in neck.taps),
        f'{added:,} ({100 * added / own:.1f} %)',
        entry.note,
    )
    return f'| {" | ".join(cells)} |'


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def named(entry: Served | Refused) -> str:
    """Name a listed backbone and the plain ones of its options.

    Args:
        entry (Served | Refused): The backbone.

    Returns:
        str: What stands in the first column.

    Example:
        >>> named(Served('mmpretrain', dict(type='ResNet', depth=18)))
        'ResNet depth=18'
    """
    options = [
        f'{key}={value!r}'
        for key, value in entry.cfg.items()
        if key not in UNSHOWN and isinstance(value, SHOWN)
    ]
    return ' '.join([title(entry), *options])


def page(served_rows: Iterable[str]) -> str:
    """Write the page around the rows of the served backbones.

    Args:
        served_rows (Iterable[str]): One row for each of
            :data:`~mlfm_mm.analysis.backbones.SERVED`, in its order.

    Returns:
        str: The page, in Markdown.
    """
    rows = list(served_rows)
    parts = [INTRODUCTION]
    for host in HOSTS:
        of_host = [e.host == host for e in SERVED]
        chosen = [r for r, is_of in zip(rows, of_host, strict=True) if is_of]
        parts += [f'## Served: {host}', '\n'.join([SERVED_HEAD, *chosen])]
    for host in HOSTS:
        lines = [REFUSED_HEAD, *_refused_rows(host)]
        parts += [f'## Refused: {host}', '\n'.join(lines)]
    return '\n\n'.join(parts) + '\n'


def _refused_rows(host: str) -> list[str]:
    reasons = [(named(e), e.reason) for e in REFUSED if e.host == host]
    reasons += NOT_LISTED[host].items()
    return [f'| {name} | {reason} |' for name, reason in reasons]


def write_page() -> str:
    """Bind a neck to each listed backbone and write the page.

    Returns:
        str: The page, in Markdown.
    """
    return page(served_row(entry, *adopt(entry)) for entry in SERVED)
