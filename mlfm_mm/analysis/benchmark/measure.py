"""Measure a group of networks in a setting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import torch

from .memory import peak_bytes, saved_bytes
from .roofline import count_macs, memory_bytes, trunk_bytes
from .setting import Setting
from .steps import Step, make_step, synchronizer
from .timing import Ratio, compare, interleave, nothing, spread
from .variants import Arm, Group, memory_of

# The baseline, measured once more: what chance alone does.
AGAIN = -1
WARMUP = 2


@dataclass(frozen=True)
class Row:
    """What was measured of a network in a setting.

    Args:
        network (str): The group's name.
        arm (str): The network's name.
        variant (str): See :class:`Recipe`.
        setting (Setting): How it was run.
        folded (bool): Whether its norms were folded.
        seconds (list[float]): Samples of the time of a step.
        ratio (Ratio): To the baseline.
        ratio_folded (Ratio, optional): To the baseline with folded norms,
            where there is one.
        saved (int, optional): Bytes kept for the backward pass.
        peak (int): Most bytes at once, above what was there before.
        params (int): Number of parameters.
        macs (int): Multiply-adds for an image.
        floor (int, optional): Bytes that an inference must move.
        point (float): Where on the axis of a sweep. Defaults to 0.
    """

    network: str
    arm: str
    variant: str
    setting: Setting
    folded: bool
    seconds: list[float]
    ratio: Ratio
    ratio_folded: Ratio | None
    saved: int | None
    peak: int
    params: int
    macs: int
    floor: int | None
    point: float = 0

    @property
    def least(self) -> float:
        """float: The least time of a step, in seconds."""
        return min(self.seconds)

    def as_dict(self) -> dict[str, Any]:
        """Give everything for a JSON file, and what follows from it."""
        return {
            **asdict(self),
            'min': self.least,
            'median': median(self.seconds),
            'spread': spread(self.seconds),
            'images_per_second': self.setting.batch / self.least,
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Row:
        """Read what :meth:`as_dict` gave."""
        fields = {key: content[key] for key in cls.__dataclass_fields__}
        setting = content['setting']
        size = tuple(setting['size'])
        fields['setting'] = Setting(**{**setting, 'size': size})
        for name in ('ratio', 'ratio_folded'):
            if content[name] is not None:
                fields[name] = Ratio(**content[name])
        return cls(**fields)


def measure(
    group: Group,
    setting: Setting,
    repeats: int = 10,
    on_round: Callable[[], None] = nothing,
) -> list[Row]:
    """Measure networks in turns.

    Args:
        group (Group): The networks.
        setting (Setting): How to run them.
        repeats (int): Rounds that count. Defaults to 10.
        on_round (Callable): Called after each of ``WARMUP + repeats``
            rounds. Defaults to nothing.

    Returns:
        list[Row]: A row for each network, the baseline first.
    """
    if setting.mode == 'compiled':
        torch._dynamo.reset()
    arms = group.build(setting)
    channels = image_channels(arms)
    sizes = [size_of(arm, arms, setting, channels) for arm in arms]
    pairs = [make_step(arm.model, setting, channels) for arm in arms]
    steps: dict[int, Step] = {AGAIN: pairs[0][0]}
    steps |= {index: step for index, (step, _) in enumerate(pairs)}
    seconds = interleave(
        steps, repeats, WARMUP, synchronizer(setting.device), on_round
    )
    rows = []
    for index, (arm, (step, forward)) in enumerate(
        zip(arms, pairs, strict=True)
    ):
        saved = None
        if setting.training:
            saved = saved_bytes(arm.model, forward)
        ratio, ratio_folded = ratios(index, arms, seconds)
        rows.append(
            Row(
                group.name,
                arm.name,
                arm.variant,
                setting,
                arm.folded,
                seconds[index],
                ratio,
                ratio_folded,
                saved,
                peak_bytes(arm.model, step, setting.device),
                *sizes[index],
            )
        )
    return rows


def ratios(
    index: int, arms: list[Arm], seconds: dict[int, list[float]]
) -> tuple[Ratio, Ratio | None]:
    """Compare a network with the baseline, and with the folded baseline."""
    first = compare(seconds[index], seconds[0], seconds[AGAIN])
    if not arms[-1].folded:
        return first, None
    # The baseline as it was comes first, the folded one second. What was
    # measured twice is the one as it was.
    second = compare(seconds[index], seconds[1], seconds[1])
    chance = compare(seconds[0], seconds[0], seconds[AGAIN])
    return first, Ratio(second.value, max(second.noise, chance.noise))


def image_channels(arms: list[Arm]) -> int:
    """Ask a network with memory how many channels its image has."""
    for arm in arms:
        memory = memory_of(arm.model)
        if memory is not None:
            return memory.image_channels
    return 3


def size_of(
    arm: Arm, arms: list[Arm], setting: Setting, channels: int
) -> tuple[int, int, int | None]:
    """Count parameters, multiply-adds, and bytes that must move."""
    params = sum(p.numel() for p in arm.model.parameters())
    macs = count_macs(arm.model, setting, channels)
    if setting.training:
        return params, macs, None
    floor = trunk_bytes(arms[0].model, setting, channels)
    if arm.variant != 'baseline':
        floor += memory_floor(arms, setting, channels)
    return params, macs, floor


def memory_floor(arms: list[Arm], setting: Setting, channels: int) -> int:
    """Count what the memory must move; all forms of it are one in this."""
    for arm in arms:
        memory = memory_of(arm.model)
        if memory is not None:
            units: list[Any] = list(memory.units)
            return memory_bytes(
                memory.taps,
                setting,
                channels,
                widening=2 if units[0].update == 'concat' else 1,
                supplements=[u.supplement_gate is not None for u in units],
            )
    return 0
