"""Test trained networks on corrupted pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from statistics import fmean
from typing import Any

from mmengine.registry import DATASETS, DefaultScope
from torch.utils.data import Dataset

from ..engine import UsageError, build_runner, prepare_testing
from .corruptions import CORRUPTIONS, FAMILIES, Corruption
from .evidence.statistics import align, paired_difference, spread
from .runs import metric_of, score_in
from .tables import Column, Table

Scores = dict[str, list[dict[str, float]]]
CLEAN = 'clean'
STRENGTHS = (
    'low_pass: means over blocks of so many pixels; high_pass: what differs '
    'from these means; noise and blur: standard deviation in grey levels of '
    '255 and in pixels; jpeg: quality.'
)
SINGLE = (
    'One checkpoint each, which cannot tell a difference from chance. '
    f'{STRENGTHS}'
)
SEVERAL = 'Mean ± deviation over checkpoints; differences {}. {}'
NONE = '-'


def measure_robustness(
    config: str,
    checkpoint: str,
    corruptions: tuple[Corruption, ...] = CORRUPTIONS,
    overrides: dict | None = None,
    tell: Callable[[], object] = lambda: None,
    **options: Any,
) -> dict[str, float]:
    """Test a network on its test set, clean and corrupted.

    Args:
        config (str): The config file.
        checkpoint (str): The trained weights.
        corruptions (tuple[Corruption]): Each is applied to the resized
            pictures. Defaults to three of each family.
        overrides (dict, optional): Dotted keys of the config and their
            values. Defaults to None.
        tell (Callable): Called after each test. Defaults to nothing.
        **options: ``memory`` and ``allow_partial`` of
            :func:`mlfm_mm.engine.prepare_testing`.

    Returns:
        dict[str, float]: Top-1 accuracy or mIoU, under ``'clean'`` and under
        the name of each corruption.

    Raises:
        UsageError: If config or checkpoint cannot be used, or the pictures
            cannot be corrupted.
    """
    with tempfile.TemporaryDirectory() as folder:
        options |= dict(cfg_options=overrides, work_dir=folder)
        cfg = prepare_testing(config, checkpoint, **options)
        # Persistent workers would keep their copy of the first pipeline.
        cfg.test_dataloader.persistent_workers = False
        runner, scope = build_runner(cfg, 'robustness'), cfg.default_scope
        dataset = runner.test_dataloader.dataset
        _try_on(dataset, corruptions)
        scores = {CLEAN: score_in(runner.test(), scope)}
        tell()
        for corruption in corruptions:
            with _inserted(dataset, corruption):
                scores[str(corruption)] = score_in(runner.test(), scope)
            tell()
    return scores


def check_pipelines(
    networks: Iterable[tuple[str, str]],
    corruptions: Sequence[Corruption] = CORRUPTIONS,
    overrides: dict | None = None,
    memory: bool = False,
) -> None:
    """Meet mistakes in configs before the first of many tests.

    Args:
        networks (Iterable[tuple[str, str]]): Config and checkpoint of each.
        corruptions (Sequence[Corruption]): What is to be applied. Defaults to
            three of each family.
        overrides (dict, optional): Dotted keys of the config and their
            values. Defaults to None.
        memory (bool): Whether to add memory to the configs. Defaults to
            False.

    Raises:
        UsageError: As of :func:`measure_robustness`.
    """
    tried: list[dict] = []
    for config, checkpoint in networks:
        with tempfile.TemporaryDirectory() as folder:
            cfg = prepare_testing(
                config,
                checkpoint,
                memory=memory,
                cfg_options=overrides,
                work_dir=folder,
            )
        metric_of(cfg.default_scope)  # refuses hosts without one
        settings = cfg.test_dataloader.dataset
        if settings not in tried:
            with DefaultScope.overwrite_default_scope(cfg.default_scope):
                _try_on(DATASETS.build(settings), corruptions)
            tried.append(settings)


def _try_on(dataset: Dataset, corruptions: Sequence[Corruption]) -> None:
    """Find out on one picture whether a data set lets it be corrupted."""
    for corruption in corruptions:
        with _inserted(dataset, corruption):
            dataset[0]


@contextmanager
def _inserted(dataset: Dataset, corruption: Corruption) -> Iterator[None]:
    """Insert a corruption before the last transform, which packs."""
    transforms = getattr(getattr(dataset, 'pipeline', None), 'transforms', [])
    if not transforms:
        raise UsageError(
            f'{type(dataset).__name__} has no pipeline of its own to corrupt '
            'pictures in: test on the data set inside it'
        )
    transforms.insert(len(transforms) - 1, corruption)
    try:
        yield
    finally:
        transforms.remove(corruption)


def tabulate(
    scores: Scores, seeds: Mapping[str, Sequence[int | None]] | None = None
) -> Table:
    """Tabulate the networks' scores by condition.

    Args:
        scores (dict): For each network, the scores of each checkpoint by
            condition; the first network is the baseline.
        seeds (Mapping, optional): For each network, the seeds of its
            checkpoints. Defaults to None, unknown.

    Returns:
        Table: A row for each condition.
    """
    baseline, *others = scores
    columns = [Column('condition', 'pictures')]
    columns += [Column(name, name) for name in scores]
    columns += [
        Column(f'{name} gain', f'{name} - {baseline}') for name in others
    ]
    keys, pairs = align(seeds or {n: [None] * len(scores[n]) for n in scores})
    rows = []
    for condition in scores[baseline][0]:
        values = {
            name: {
                key: run[condition]
                for key, run in zip(keys[name], runs, strict=True)
            }
            for name, runs in scores.items()
        }
        row = dict(condition=condition)
        row |= {name: spread([*v.values()]) for name, v in values.items()}
        for name in others:
            gain = paired_difference(values[baseline], values[name])
            row[f'{name} gain'] = NONE if gain is None else str(gain)
        rows.append(row)
    several = max(len(runs) for runs in scores.values()) > 1
    caption = SEVERAL.format(pairs, STRENGTHS) if several else SINGLE
    return Table(columns, rows, caption)


def curve_of(
    scores: dict[str, float], family: str
) -> tuple[list[str], list[float]]:
    """Collect the scores of a family, preceded by that of clean pictures.

    Args:
        scores (dict[str, float]): Of one checkpoint, by condition.
        family (str): The family.

    Returns:
        tuple[list[str], list[float]]: Strengths and scores.

    Example:
        >>> curve_of({'clean': 60.0, 'blur 1': 50.0, 'jpeg 9': 40.0}, 'blur')
        (['clean', '1'], [60.0, 50.0])
    """
    found = {CLEAN: scores[CLEAN]}
    for condition, score in scores.items():
        name, _, strength = condition.partition(' ')
        if name == family:
            found[strength] = score
    return list(found), list(found.values())


def areas(scores: Scores) -> Scores:
    """Compute the area under each family's curve, for :func:`tabulate`.

    By the trapezoidal rule, over a width of 1.

    Args:
        scores (dict): For each network, the scores of each checkpoint by
            condition.

    Returns:
        dict: The same, with families as conditions and areas as scores.
    """
    first = next(iter(scores.values()))[0]
    families = [f for f in FAMILIES if len(curve_of(first, f)[0]) > 1]
    return {
        name: [
            {
                f: fmean(map(fmean, pairwise(curve_of(run, f)[1])))
                for f in families
            }
            for run in runs
        ]
        for name, runs in scores.items()
    }
