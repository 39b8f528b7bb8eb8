"""The plans that have begun, with the records of their runs so far."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlfm_mm.analysis.evidence import Arm, Plan, read_plan, read_records
from mlfm_mm.analysis.evidence.statistics import (
    Difference,
    paired_difference,
)

METRICS = {'accuracy/top1': 'top-1 accuracy (%)', 'mIoU': 'mean IoU (%)'}
PLANS = 'configs/evidence'
RESULTS = 'docs/results/evidence'
# The plan that comes first.
FIRST = 'tiny20'


@dataclass(frozen=True)
class Evidence:
    """A plan and the records of its runs so far.

    Args:
        plan (Plan): The plan.
        question (str): What it asks: the docstring of its file.
        arms (tuple[Arm]): Its arms, after those of the plans beside it.
        records (list[dict]): The records of all of them.
    """

    plan: Plan
    question: str
    arms: tuple[Arm, ...]
    records: list[dict]

    def scores(self, key: str = 'final') -> dict[str, dict[int, float]]:
        """Get the final scores, or the best ones, by arm and seed."""
        scores: dict[str, dict[int, float]] = {}
        for record in self.records:
            scores.setdefault(record['arm'], {})[record['seed']] = record[key]
        return scores

    def difference(self, arm: str, baseline: str) -> Difference | None:
        """Compare an arm with a baseline; None for the baseline itself."""
        scores = self.scores()
        if arm == baseline or baseline not in scores or arm not in scores:
            return None
        return paired_difference(scores[baseline], scores[arm])

    def pairs(self) -> Iterator[tuple[Arm, Arm]]:
        """Pair the plan's networks that differ in the memory only.

        Yields:
            tuple[Arm, Arm]: ``plain`` and ``mlfm``, perhaps with the same
            ending.
        """
        arms = {arm.name: arm for arm in self.plan.arms}
        for name in self.plan.baselines:
            partner = name.replace('plain', 'mlfm', 1)
            if name != partner and {name, partner} <= arms.keys():
                yield arms[name], arms[partner]


def read_evidence(root: Path) -> Iterator[Evidence]:
    """Read the plans that have begun.

    Args:
        root (Path): The top of the repository.

    Yields:
        Evidence: One a plan.
    """
    plans = sorted((root / PLANS).glob('*.py'))
    # Photographs first, and of them the plans around the first.
    plans.sort(
        key=lambda p: [not p.stem.startswith(s) for s in (FIRST, 'tiny')]
    )
    for path in plans:
        plan = read_plan(path)
        own = read_records(root / RESULTS / f'{plan.name}.jsonl')
        if not own:
            continue
        arms, records = list(plan.arms), own
        for name in reversed(plan.beside):
            others = read_plan(path.with_name(f'{name}.py')).arms
            known = {arm.name for arm in others} & {*plan.baselines}
            arms = [*(arm for arm in others if arm.name in known), *arms]
            beside = read_records(root / RESULTS / f'{name}.jsonl')
            records = [r for r in beside if r['arm'] in known] + records
        question = ast.get_docstring(ast.parse(path.read_text('utf-8')))
        yield Evidence(plan, question or '', tuple(arms), records)
