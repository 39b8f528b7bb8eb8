"""The chain of memory units beside a backbone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Literal

from mmengine.model import ModuleList
from torch import nn

from .lfmu import LFMU
from .refusals import check_flags
from .taps import Tap
from .taps.dry_run import reference_of


def build_chain(
    backbone: nn.Module,
    taps: Sequence[Tap],
    image_channels: int,
    supplement: bool | Sequence[bool] = True,
    norm_cfg: dict | Literal['auto'] | None = 'auto',
    **options: Any,
) -> ModuleList:
    """Build a unit for each tap, each fed by the memory of the one before.

    They are of the backbone's dtype and on its device.

    Args:
        backbone (nn.Module): The backbone.
        taps (Sequence[Tap]): Its taps, in order.
        image_channels (int): Channels of the image, which is the memory of
            the first unit.
        supplement (bool | Sequence[bool]): Whether units have a supplement
            gate, for all or for each. Defaults to True.
        norm_cfg (dict | str, optional): Norm of the units. ``'auto'`` is
            batch norm, synchronized where the backbone's is. Defaults to
            ``'auto'``.
        **options: See :class:`LFMU`.

    Returns:
        ModuleList: The units.

    Raises:
        ValueError: There are not as many flags as taps, or one is a word.

    Example:
        >>> taps = [Tap('0', 8, 2), Tap('1', 16, 4)]
        >>> backbone = nn.Sequential(nn.Conv2d(3, 8, 2), nn.Conv2d(8, 16, 2))
        >>> units = build_chain(backbone, taps, 3)
        >>> [unit.input_gate.in_channels for unit in units]
        [3, 8]
        >>> [unit.forget_gate.levels for unit in units]
        [1, 0]
    """
    flags = supplement
    if isinstance(flags, int | str):  # a bool is an int
        check_flags(supplement=flags)
        flags = [bool(flags)] * len(taps)
    if len(flags) != len(taps):
        raise ValueError(
            f'supplement={list(flags)} has {len(flags)} flags for '
            f'{len(taps)} taps: {", ".join(tap.module for tap in taps)}.'
        )
    if norm_cfg == 'auto':
        parts = backbone.modules()
        syncs = any(isinstance(part, nn.SyncBatchNorm) for part in parts)
        norm_cfg = dict(type='SyncBN' if syncs else 'BN')
    units, memory_channels = ModuleList(), image_channels
    levels = [tap.level for tap in taps]
    steps = [b - a for a, b in pairwise(levels)] + [0]
    for tap, flag, step in zip(taps, flags, steps, strict=True):
        unit = LFMU(
            memory_channels,
            tap.channels,
            image_channels,
            supplement=flag,
            norm_cfg=norm_cfg,
            levels=step,
            **options,
        )
        units.append(unit)
        memory_channels = unit.memory_channels_out
    return units.to(reference_of(backbone))


def bands_read(taps: Sequence[Tap], units: Iterable[LFMU]) -> tuple[int, bool]:
    """Find the last level whose band a unit reads, and whether 0 is one.

    The first one's memory is the band, whether or not it has a supplement
    gate.
    """
    readers = [taps[0].level]
    readers += [
        tap.level
        for tap, unit in zip(taps, units, strict=True)
        if unit.supplement_gate is not None
    ]
    return max(readers), 0 in readers
