"""The chain of memory units beside a backbone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.model import ModuleList

from .lfmu import LFMU
from .taps import Tap


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
    """
    flags = supplement
    if isinstance(flags, bool):
        flags = [flags] * len(taps)
    if len(flags) != len(taps):
        raise ValueError(
            f'supplement={list(flags)} has {len(flags)} flags for '
            f'{len(taps)} taps: {", ".join(tap.module for tap in taps)}.'
        )
    units, memory_channels = ModuleList(), image_channels
    for tap, flag in zip(taps, flags, strict=True):
        unit = LFMU(
            memory_channels,
            tap.channels,
            image_channels,
            supplement=flag,
            **options,
        )
        units.append(unit)
        memory_channels = unit.memory_channels_out
    return units
