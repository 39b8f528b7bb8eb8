"""The tables of docs/results.md and of the README, from the records.

A step of `make docs`. The pictures are drawn by evidence_picture.py, since no
two versions of matplotlib draw alike.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from mmengine.utils import import_modules_from_strings

from evidence_records import METRICS, PLANS, RESULTS, Evidence, read_evidence
from mlfm_mm.analysis.complexity import Complexity, measure_complexity
from mlfm_mm.analysis.evidence import Run, make_config
from mlfm_mm.analysis.evidence.statistics import Difference, spread
from mlfm_mm.analysis.robustness import tabulate
from mlfm_mm.analysis.sizes import image_size
from mlfm_mm.analysis.tables import markdown_table, si
from mlfm_mm.engine.models import build_model

OVERVIEW = ['network, data', 'seeds', 'plain', 'MLFM', 'difference', 'MACs']


def generate(root: Path) -> dict[str, str]:
    """Write the blocks of the page and of the README, for ``pages.py``."""
    # Each neck logs its taps when it is built.
    logging.disable(logging.INFO)
    sections, rows = list[str](), list[list[str]]()
    for evidence in read_evidence(root):
        costs = count_costs(evidence)
        sections.append(write_section(evidence, costs, root))
        rows.extend(overview_rows(evidence, costs))
    logging.disable(logging.NOTSET)
    overview = 'Nothing has been measured yet.'
    if rows:
        overview = markdown_table(OVERVIEW, rows, 'lrrrrr')
    return {
        'docs/results.md#overview': overview,
        'docs/results.md#plans': '\n'.join(sections).rstrip(),
        'README.md#evidence': overview,
    }


def count_costs(evidence: Evidence) -> dict[str, Complexity]:
    """Count parameters and MACs of the arms that have been trained."""
    costs = {}
    for arm in evidence.arms:
        if arm.name not in evidence.scores():
            continue
        cfg = make_config(Run(arm, 0), Path())
        import_modules_from_strings(
            **cfg.get('custom_imports', {'imports': []})
        )
        costs[arm.name] = measure_complexity(build_model(cfg), image_size(cfg))
    return costs


def overview_rows(
    evidence: Evidence, costs: Mapping[str, Complexity]
) -> Iterator[list[str]]:
    """Summarize a plan: a row for each pair of networks.

    One seed tells no difference from chance, and seeds so far are not what
    the plan fixed, so that they make no row.
    """
    finals = evidence.scores()
    for plain, mlfm in evidence.pairs():
        seeds = (finals.get(arm.name, {}) for arm in (plain, mlfm))
        both = set.intersection(*map(set, seeds))
        if len(both) > 1 and both >= {*evidence.plan.seeds}:
            gain = evidence.difference(mlfm.name, plain.name)
            macs = costs[mlfm.name].macs / costs[plain.name].macs
            _, comma, condition = plain.title.partition(',')
            yield [
                evidence.plan.title + comma + condition,
                str(len(both)),
                *(
                    spread([finals[arm.name][seed] for seed in both])
                    for arm in (plain, mlfm)
                ),
                str(gain),
                f'x{macs:.2f}',
            ]


def table(evidence: Evidence, costs: Mapping[str, Complexity]) -> str:
    """Tabulate the arms: cost, scores and gain."""
    plan, final, best = (
        evidence.plan,
        evidence.scores(),
        evidence.scores('best'),
    )
    titles = {arm.name: arm.title for arm in evidence.arms}
    baselines = [name for name in plan.baselines if name in final]
    head = ['network', 'params', 'MACs', 'seeds', 'final', 'best']
    head += [f'against {titles[name]}' for name in baselines]
    rows = []
    for name, cost in costs.items():
        gains = [evidence.difference(name, other) for other in baselines]
        rows.append(
            [
                titles[name],
                si(cost.params),
                si(cost.macs),
                len(final[name]),
                spread([*final[name].values()]),
                spread([*best[name].values()]),
                *('' if gain is None else gain for gain in gains),
            ]
        )
    return markdown_table(head, rows)


def verdict(evidence: Evidence) -> str:
    """Say whether the plan has shown that the memory makes a difference."""
    plan, scores = evidence.plan, evidence.scores()
    sentences = [f'{plan.title}: {METRICS[plan.metric]} in validation.']
    for plain, mlfm in evidence.pairs():
        gain = evidence.difference(mlfm.name, plain.name)
        if gain is not None:
            sentences.append(say(mlfm.title, gain, plain.title))
    planned = len(plan.seeds) * len(plan.arms)
    names = {arm.name for arm in plan.arms}
    done = sum(len(runs) for name, runs in scores.items() if name in names)
    if done < planned:
        sentences.append(f'So far {done} of {planned} runs are done.')
    return ' '.join(sentences)


def say(title: str, gain: Difference, baseline: str) -> str:
    """Put a difference into words.

    Example:
        >>> say('MLFM', Difference(1.0, 3, -0.5, 2.5), 'plain')
        'MLFM less plain: +1.0 [-0.5, +2.5] points over 3 seeds, which does
        not show a difference.'
    """
    seeds = 'one seed' if gain.seeds == 1 else f'{gain.seeds} seeds'
    if gain.low is None:
        end = 'which cannot tell a difference from chance'
    elif gain.is_sure:
        end = f'which shows a {"gain" if gain.mean > 0 else "loss"}'
    else:
        end = 'which does not show a difference'
    return f'{title} less {baseline}: {gain} points over {seeds}, {end}.'


def write_section(
    evidence: Evidence, costs: Mapping[str, Complexity], root: Path
) -> str:
    """Write what the page says about a plan."""
    plan = evidence.plan
    parts = [
        f'## {plan.title}',
        evidence.question,
        f'`{PLANS}/{plan.name}.py`, recipe `{plan.arms[0].config.name}`.',
        table(evidence, costs),
        verdict(evidence),
    ]
    picture = root / RESULTS / f'{plan.name}.png'
    if picture.is_file():
        alt = f'{plan.title}: learning curves, and differences by seed'
        parts.append(f'![{alt}](results/evidence/{picture.name})')
    scores = root / RESULTS / f'{plan.name}_robustness.json'
    if scores.is_file():
        parts.append('On degraded pictures:')
        lost = tabulate(json.loads(scores.read_text('utf-8')))
        parts.append(lost.markdown().strip())
    curves = scores.with_suffix('.png')
    if curves.is_file():
        alt = f'{plan.title}: scores on degraded pictures'
        parts.append(f'![{alt}](results/evidence/{curves.name})')
    return '\n\n'.join(parts) + '\n'
