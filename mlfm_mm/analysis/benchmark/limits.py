"""Judge a benchmark by limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...engine import UsageError
from .measure import Row
from .report import together
from .timing import Ratio

# What a limit may be put on, in the words of the table.
NAMES = {
    'infer': 'inference',
    'folded': 'inference with folded norms',
    'train': 'training step',
    'with_cp': 'training step, with_cp',
    'saved': 'saved activations',
    'saved_with_cp': 'saved activations, with_cp',
}


@dataclass(frozen=True)
class Judgement:
    """What came of a limit.

    Args:
        network (str): The network's name.
        name (str): What the limit is put on, one of ``NAMES``.
        ratio (Ratio): What was measured.
        limit (float): The limit.
        note (str): What it is compared with. Defaults to ''.
    """

    network: str
    name: str
    ratio: Ratio
    limit: float
    note: str = ''

    @property
    def met(self) -> bool | None:
        """Whether it is met; None where the noise leaves it open."""
        return self.ratio.meets(self.limit)

    @property
    def word(self) -> str:
        """str: The judgement in a word."""
        return {True: 'met', False: 'missed', None: 'open'}[self.met]

    @property
    def title(self) -> str:
        """str: What was judged."""
        return f'{NAMES[self.name]}{self.note}'

    def __str__(self) -> str:
        noise = ''
        if self.ratio.noise:
            noise = f' (noise {100 * self.ratio.noise:.1f} %)'
        return (
            f'{self.network}, {self.title}: '
            f'x{self.ratio.value:.2f}{noise}, limit x{self.limit:.2f}: '
            f'{self.word}'
        )


def parse_limits(texts: list[str]) -> dict[str, float]:
    """Read limits from a command line.

    Args:
        texts (list[str]): Each of the form ``name=ratio``.

    Returns:
        dict[str, float]: The limits.

    Raises:
        UsageError: A name is unknown, or a ratio no number.

    Example:
        >>> parse_limits(['infer=1.25', 'saved=1.6'])
        {'infer': 1.25, 'saved': 1.6}
    """
    limits = {}
    for text in texts:
        name, _, value = text.partition('=')
        try:
            limits[name] = float(value)
        except ValueError:
            name = ''
        if name not in NAMES:
            raise UsageError(
                f'--limit {text} is not understood: give NAME=RATIO, with a '
                f'name of {", ".join(NAMES)}'
            )
    return limits


def judge(rows: list[Row], limits: Mapping[str, float]) -> list[Judgement]:
    """Compare what was measured with limits.

    Args:
        rows (list[Row]): What was measured.
        limits (Mapping[str, float]): The limits by their names.

    Returns:
        list[Judgement]: One for each limit and each setting it applies to.
    """
    judgements = []
    for part in together(rows):
        for row in part:
            for name, ratio, note in figures(row, part[0]):
                if name in limits:
                    judgements.append(
                        Judgement(row.network, name, ratio, limits[name], note)
                    )
    return judgements


def figures(row: Row, first: Row) -> list[tuple[str, Ratio, str]]:
    """List what of a network limits may be put on."""
    if row.variant not in ('mlfm', 'with_cp'):
        return []
    if row.folded:
        assert row.ratio_folded is not None
        return [
            ('folded', row.ratio_folded, ' against folded norms'),
            ('folded', row.ratio, ' against norms as they were'),
        ]
    if not row.setting.training:
        return [('infer', row.ratio, '')]
    suffix = '_with_cp' if row.variant == 'with_cp' else ''
    found = [('with_cp' if suffix else 'train', row.ratio, '')]
    if row.saved is not None and first.saved:
        # Counted, not measured: there is no noise in it.
        found.append(
            (f'saved{suffix}', Ratio(row.saved / first.saved, 0.0), '')
        )
    return found
