"""Judge what was found by limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mlfm_mm.engine import UsageError

from .figures import QUANTITIES, Figure
from .networks import MLFM
from .timing import Ratio

# Ratios to the network without memory, by arm and quantity.
Limits = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Judgement:
    """What came of a limit.

    Args:
        figure (Figure): What was found.
        ratio (Ratio): Its ratio to the network without memory.
        limit (float): The most that it should be.
    """

    figure: Figure
    ratio: Ratio
    limit: float

    @property
    def word(self) -> str:
        """str: The judgement in a word; open where noise leaves it so."""
        met = self.ratio.meets(self.limit)
        return {True: 'met', False: 'missed', None: 'open'}[met]

    @property
    def title(self) -> str:
        """str: What was judged."""
        name = QUANTITIES[self.figure.quantity].title
        arm = '' if self.figure.arm == MLFM else f', {self.figure.arm}'
        return f'{self.figure.network}: {name}{arm}'

    def __str__(self) -> str:
        return f'{self.title}: {self.ratio}, limit {self.limit}: {self.word}'


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


def judge(figures: Iterable[Figure], limits: Limits) -> list[Judgement]:
    """Judge each figure that a limit is put on."""
    return [
        Judgement(figure, figure.ratio, limits[figure.arm][figure.quantity])
        for figure in figures
        if figure.ratio is not None
        and figure.quantity in limits.get(figure.arm, {})
    ]
