"""Judge figures by limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from .figures import QUANTITIES
from .networks import MLFM
from .timing import ratio_text, verdict

# Ratios to the network without memory, by arm and quantity.
Limits = Mapping[str, Mapping[str, float]]


class Judgement(NamedTuple):
    """A limit, the figure that it is put on, the ratio found, the verdict."""

    title: str
    limit: float
    found: str
    verdict: str

    def __str__(self) -> str:
        return (
            f'{self.title}: {self.found}, limit {self.limit}: {self.verdict}'
        )


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
