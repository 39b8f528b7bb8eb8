"""From the options of ``tools/benchmark.py`` to a report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from rich.console import Console

from ...engine import UsageError
from ...engine.options import load_config
from .. import machine as machines
from .measure import WARMUP, Row, measure
from .progress import told
from .report import Report
from .roofline import copy_bandwidth
from .scaling import AXES, Point, measure_sweep, sweep
from .setting import Setting, all_settings, check_device
from .steps import synchronizer
from .variants import Group, Recipe, has_memory, make_group, plain_recipe


@dataclass
class Options:
    """What the user asked for.

    Args:
        configs (list[str]): The config files.
        baseline (str, optional): A config that all others are compared
            with. Defaults to None: each with itself without memory, or those
            that have none with the first of them.
        plain (bool): Whether to time the plain formulation, too. Defaults
            to True.
        with_cp (bool): Whether to time the units recomputed in training,
            too. Defaults to False.
        fuse (bool): Whether to time inference with folded norms, too.
            Defaults to False.
        phase (list[str]): What to time. Defaults to inference and training.
        batch (list[int]): Images in a batch. Defaults to [4].
        size (list[int]): Height and width, or one for both. Defaults to
            [256].
        dtype (list[str]): Precisions. Defaults to ['fp32'].
        layout (list[str]): Memory formats. Defaults to ['contiguous'].
        mode (list[str]): Eager or compiled. Defaults to ['eager'].
        device (str): The device. Defaults to 'cpu'.
        repeats (int): Rounds that count. Defaults to 10.
        threads (int, optional): Threads of PyTorch. Defaults to None, as
            many as it takes by itself.
        scale (str, optional): What to vary. Defaults to None.
        points (list[float], optional): Where to measure when varying.
            Defaults to None, what is usual.

    Raises:
        UsageError: A value is wrong.
    """

    configs: list[str]
    baseline: str | None = None
    plain: bool = True
    with_cp: bool = False
    fuse: bool = False
    phase: list[str] = field(default_factory=lambda: ['infer', 'train'])
    batch: list[int] = field(default_factory=lambda: [4])
    size: list[int] = field(default_factory=lambda: [256])
    dtype: list[str] = field(default_factory=lambda: ['fp32'])
    layout: list[str] = field(default_factory=lambda: ['contiguous'])
    mode: list[str] = field(default_factory=lambda: ['eager'])
    device: str = 'cpu'
    repeats: int = 10
    threads: int | None = None
    scale: str | None = None
    points: list[float] | None = None

    def __post_init__(self) -> None:
        check_device(self.device)
        if len(self.size) > 2:
            raise UsageError(
                f'--size {" ".join(map(str, self.size))}: give height and '
                'width, or one number for both'
            )
        if self.repeats < 2:
            raise UsageError(
                f'--repeats {self.repeats} is too small: a noise can be seen '
                'from 2 rounds on'
            )
        if self.scale is not None and self.scale not in AXES:
            raise UsageError(
                f'--scale {self.scale} is unknown: give one of '
                f'{", ".join(AXES)}'
            )

    def settings(self) -> list[Setting]:
        """Combine the choices."""
        return list(
            all_settings(
                self.phase,
                self.fuse,
                batch=self.batch,
                size=[(self.size[0], self.size[-1])],
                dtype=self.dtype,
                layout=self.layout,
                mode=self.mode,
                device=[self.device],
            )
        )


def run_benchmark(options: Options, command: str, console: Console) -> Report:
    """Measure all that was asked for.

    Args:
        options (Options): What the user asked for.
        command (str): How it was called, for the report.
        console (Console): Where to tell how it goes.

    Returns:
        Report: The results.

    Raises:
        UsageError: A config cannot be measured so.
    """
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    machine = machines.describe_machine(options.device)
    bandwidth = copy_bandwidth(options.device, synchronizer(options.device))
    warning = machines.busy(machine)
    notes = [] if warning is None else [warning]
    report = Report(
        command, [], machine, bandwidth, notes, options.scale or ''
    )
    if options.scale:
        report.rows = scaled(options, options.scale, console)
        return report
    for group in make_groups(options):
        report.notes += group.notes
        for setting in options.settings():
            report.rows += shown(group, setting, options.repeats, console)
    return report


def shown(
    group: Group, setting: Setting, repeats: int, console: Console
) -> list[Row]:
    """Measure, and show how it goes."""
    label = f'{group.name}: {setting}'
    with told(console, label, WARMUP + repeats) as on_round:
        return measure(group, setting, repeats, on_round)


def make_groups(options: Options) -> list[Group]:
    """Put together what is measured in turns.

    Args:
        options (Options): What the user asked for.

    Returns:
        list[Group]: The groups.
    """
    groups, others = [], []
    for path in options.configs:
        cfg = load_config(path)
        if has_memory(cfg.model):
            name = Path(path).stem
            groups.append(
                make_group(name, cfg, options.plain, options.with_cp)
            )
        else:
            others.append(path)
    if options.baseline is not None:
        return [against(options.baseline, groups, others)]
    if others:
        groups.append(Group('networks', list(as_recipes(others)), []))
    return groups


def against(baseline: str, groups: list[Group], others: list[str]) -> Group:
    """Compare everything with one network."""
    recipes = list(as_recipes([baseline]))
    notes = []
    for group in groups:
        # Its own baseline is not asked for.
        recipes += group.recipes[1:]
        notes += group.notes
    return Group(
        Path(baseline).stem, [*recipes, *as_recipes(others, 'other')], notes
    )


def as_recipes(
    paths: Iterable[str], variant: str = 'baseline'
) -> Iterable[Recipe]:
    """Take networks as their configs describe them."""
    for path in paths:
        recipe = plain_recipe(Path(path).stem, load_config(path))
        yield replace(recipe, variant=variant)
        variant = 'other'


def scaled(options: Options, axis: str, console: Console) -> list[Row]:
    """Measure a sweep."""
    path = options.configs[0]
    cfg = load_config(path)
    if not has_memory(cfg.model):
        raise UsageError(
            f'--scale needs a config with an MLFMNeck, which {path} does not '
            'have: give one of configs/mlfm'
        )
    rows = []
    for setting in options.settings():
        points = sweep(axis, cfg, setting, options.points)

        def group_of(point: Point) -> Group:
            name = f'{Path(path).stem}, {axis} {point.value:g}'
            return make_group(name, point.cfg, plain=False)

        rows += measure_sweep(
            points,
            group_of,
            lambda group, setting: shown(
                group, setting, options.repeats, console
            ),
        )
    return rows
