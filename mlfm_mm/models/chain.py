"""The chain of memory units beside a backbone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from mmengine.model import ModuleList
from torch import nn

from .lfmu import LFMU
from .taps import Tap
from .taps.dry_run import reference_of


def units_for(
    backbone: nn.Module,
    taps: Sequence[Tap],
    image_channels: int,
    options: dict,
) -> ModuleList:
    """Build the units beside a backbone, in its dtype and on its device.

    Args:
        backbone (nn.Module): The backbone.
        taps (Sequence[Tap]): Its taps, in order.
        image_channels (int): Channels of the image.
        options (dict): See :func:`build_chain`. A ``norm_cfg`` of ``'auto'``
            is that of :func:`norm_beside`.

    Returns:
        ModuleList: The units.
    """
    if options.get('norm_cfg') == 'auto':
        options = dict(options, norm_cfg=norm_beside(backbone))
    units = build_chain(taps, image_channels, **options)
    return units.to(reference_of(backbone))


def build_chain(
    taps: Sequence[Tap],
    image_channels: int,
    supplement: bool | Sequence[bool] = True,
    **options: Any,
) -> ModuleList:
    """Build a unit for each tap, each fed by the memory of the one before.

    Args:
        taps (Sequence[Tap]): The taps, in order.
        image_channels (int): Channels of the image, which is the memory of
            the first unit.
        supplement (bool | Sequence[bool]): Whether units have a supplement
            gate, for all or for each. Defaults to True.
        **options: See :class:`LFMU`.

    Returns:
        ModuleList: The units.

    Raises:
        ValueError: There are not as many flags as taps.

    Example:
        >>> from mlfm_mm.models import Tap
        >>> units = build_chain([Tap('stem', 8, 2), Tap('stage', 16, 4)], 3)
        >>> [unit.input_gate.in_channels for unit in units]
        [3, 8]
        >>> [unit.forget_gate.levels for unit in units]
        [1, 0]
    """
    flags = supplement
    if isinstance(flags, int):  # a bool is one
        flags = [bool(flags)] * len(taps)
    if len(flags) != len(taps):
        raise ValueError(
            f'supplement={list(flags)} has {len(flags)} flags for '
            f'{len(taps)} taps: {", ".join(tap.module for tap in taps)}.'
        )
    units, memory_channels = ModuleList(), image_channels
    levels = [tap.level for tap in taps]
    steps = [b - a for a, b in pairwise(levels)] + [0]
    for tap, flag, step in zip(taps, flags, steps, strict=True):
        unit = LFMU(
            memory_channels,
            tap.channels,
            image_channels,
            supplement=flag,
            levels=step,
            **options,
        )
        units.append(unit)
        memory_channels = unit.memory_channels_out
    return units


def deepest_band(taps: Sequence[Tap], units: Iterable[LFMU]) -> int:
    """Find the last level whose band a unit reads.

    Args:
        taps (Sequence[Tap]): The taps.
        units (Iterable[LFMU]): The unit of each. The first one's memory is
            the band, whether or not it has a supplement gate.

    Returns:
        int: The level.
    """
    reads = [unit.supplement_gate is not None for unit in units]
    reads[0] = True
    return max(
        tap.level for tap, does in zip(taps, reads, strict=True) if does
    )


def norm_beside(backbone: nn.Module) -> dict:
    """Choose the units' norm: batch norm, synchronized if the trunk's is.

    Args:
        backbone (nn.Module): The backbone.

    Returns:
        dict: Config of the norm.

    Example:
        >>> norm_beside(nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8)))
        {'type': 'BN'}
    """
    syncs = any(
        isinstance(module, nn.SyncBatchNorm) for module in backbone.modules()
    )
    return dict(type='SyncBN' if syncs else 'BN')
