"""Judge what was found by limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from mlfm_mm.engine import UsageError

from .figures import QUANTITIES
from .networks import MLFM
from .timing import ratio_text, verdict

# Ratios to the network without memory, by arm and quantity.
Limits = Mapping[str, Mapping[str, float]]


class Judgement(NamedTuple):
    """What came of a limit: what was judged, the ratio found, the verdict."""

    title: str
    limit: float
    found: str
    verdict: str

    def __str__(self) -> str:
        return (
            f'{self.title}: {self.found}, limit {self.limit}: {self.verdict}'
        )


def parse_limits(texts: Iterable[str]) -> Limits:
    """Read limits from a command line, by arm and quantity.

    Example:
        >>> parse_limits(['infer=1.25', 'with_cp=True:saved=1.6'])
        {'MLFM': {'infer': 1.25}, 'with_cp=True': {'saved': 1.6}}
    """
    limits: dict[str, dict[str, float]] = {}
    for text in texts:
        name, _, value = text.rpartition('=')
        arm, _, quantity = name.rpartition(':')
        try:
            ratio = float(value)
        except ValueError:
            quantity = ''
        if quantity not in QUANTITIES:
            raise UsageError(
                f'--limit {text} is not understood: give QUANTITY=RATIO or '
                'ARM:QUANTITY=RATIO, with a quantity of '
                f'{", ".join(QUANTITIES)}'
            )
        limits.setdefault(arm or MLFM, {})[quantity] = ratio
    return limits


def judge(figures: pd.DataFrame, limits: Limits) -> Iterator[Judgement]:
    """Judge each figure that a limit is put on."""
    for figure in figures.dropna(subset='ratio').itertuples():
        limit = limits.get(figure.arm, {}).get(figure.quantity)
        if limit is not None:
            arm = '' if figure.arm == MLFM else f', {figure.arm}'
            yield Judgement(
                f'{figure.network}: {QUANTITIES[figure.quantity][0]}{arm}',
                limit,
                ratio_text(figure.ratio, figure.noise),
                verdict(figure.ratio, figure.noise, limit),
            )
