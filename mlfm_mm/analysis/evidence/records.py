"""Records of finished runs, a JSON object per line."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path

from ...datasets import usable
from ...engine import UsageError
from ...engine.hosts import HOSTS
from ..machine import describe_machine
from ..runs import Curve, read_curve
from .plan import FINGERPRINT, Arm, Plan, Run, fingerprint, make_config


def read_records(path: Path) -> list[dict]:
    """Read the records of finished runs.

    Args:
        path (Path): A file with one JSON object a line; need not exist.

    Returns:
        list[dict]: The records, in the order of the file.

    Raises:
        UsageError: A line was torn, as by a full disk.
    """
    if not path.is_file():
        return []
    records: list[dict] = []
    for line in path.read_text(encoding='utf-8').splitlines():
        try:
            records.append(json.loads(line))
        except ValueError as error:
            raise UsageError(
                f'line {len(records) + 1} of {path} is no whole record '
                f'({error}): remove it, and its run is recorded anew'
            ) from error
    return records


def write_record(path: Path, record: dict) -> None:
    """Add a record to a file.

    Args:
        path (Path): The file; it and its folder are created if missing.
        record (dict): The record.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'a', encoding='utf-8') as file:
        file.write(json.dumps(record) + '\n')


def make_record(plan: Plan, run: Run, work_dir: Path) -> dict:
    """Summarize a finished run.

    Args:
        plan (Plan): The plan that it belongs to.
        run (Run): The run.
        work_dir (Path): Where it was trained.

    Returns:
        dict: What was run, where and by which versions; ``by_epoch``, the
        metric after each epoch that was validated; its ``best`` and
        ``final`` value; and ``seconds``, the time of all training epochs,
        with that of the fastest as ``epoch_seconds``.
    """
    curve = read_curve(work_dir, plan.metric)
    machine = describe_machine()
    hosts = {n: import_module(n).__version__ for n in HOSTS if usable(n)}
    return dict(
        plan=plan.name,
        arm=run.arm.name,
        seed=run.seed,
        config=run.arm.config.name,
        overrides=run.arm.overrides,
        # As it began: the config may have been edited since.
        recipe=(work_dir / FINGERPRINT).read_text(),
        metric=plan.metric,
        final=_rounded(curve.final),
        best=_rounded(curve.best),
        by_epoch={e: _rounded(score) for e, score in curve.score.items()},
        **_times(curve),
        finished=datetime.now(timezone.utc).isoformat(timespec='seconds'),
        machine=machine['gpu'] or f'{machine["processor"]}, one thread',
        versions={**machine['versions'], **hosts},
    )


def _rounded(score: float) -> float:
    """Drop digits that are rounding errors of single precision."""
    return round(score, 4)


def _times(curve: Curve) -> dict[str, float]:
    if not curve.seconds:
        return {}
    return dict(
        seconds=round(sum(curve.seconds.values()), 1),
        epoch_seconds=round(curve.epoch_seconds, 2),
    )


def pending_runs(plan: Plan, records: list[dict]) -> list[Run]:
    """Find the runs that have no record yet.

    Args:
        plan (Plan): The plan.
        records (list[dict]): The records of its finished runs.

    Returns:
        list[Run]: The others, in the plan's order.

    Raises:
        UsageError: If a record was made with another recipe or metric than
            the plan's: results of two experiments must not share a row.
    """
    arms = {arm.name: arm for arm in plan.arms}
    recipes: dict[str, str] = {}
    for record in records:
        name, seed = record['arm'], record['seed']
        if name not in arms:
            continue
        if name not in recipes:  # the same for all seeds, and slow to read
            cfg = make_config(Run(arms[name], seed), Path())
            recipes[name] = fingerprint(cfg)
        _check_same(plan, arms[name], record, recipes[name])
    done = {(record['arm'], record['seed']) for record in records}
    return [run for run in plan.runs() if (run.arm.name, run.seed) not in done]


def _check_same(plan: Plan, arm: Arm, record: dict, recipe: str) -> None:
    seed = f'{plan.name}: seed {record["seed"]} of arm {arm.name!r}'
    if record['metric'] != plan.metric:
        raise UsageError(
            f'{seed} was measured by {record["metric"]!r}, not by '
            f'{plan.metric!r}: restore it, or give the plan another name'
        )
    if (record['overrides'], record['recipe']) != (arm.overrides, recipe):
        raise UsageError(
            f'{seed} was trained by another recipe than {arm.config.name} '
            f'with overrides {arm.overrides} is now: restore it, or give what '
            'is new a new name'
        )
