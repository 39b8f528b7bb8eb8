"""How a memory and the image's band come to the level of a tap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .forward_pass import ForwardPass, meet
from .lean_function import is_lean_node, renewed_memory
from .lfmu import LFMU
from .recall import Recall, unchanged
from .taps import Tap
from .tracing import traced

LowPassed = Callable[[Tensor], Tensor]


def carry(x: Tensor, low_pass: LowPassed, levels: int) -> Tensor:
    """Carry maps over to a coarser or to a finer level.

    Down a level only the low-low band is kept. Up a level, in a decoder, the
    map is taken for that band and the other bands for zero, which undoes the
    doubling of the way down.

    Args:
        x (Tensor): Maps of shape (N, C, H, W).
        low_pass (Callable[[Tensor], Tensor]): Keeps the low-low band.
        levels (int): How many levels to go down, or up if negative.

    Returns:
        Tensor: The maps at their new level.

    Example:
        >>> carry(torch.ones(1, 1, 2, 1), None, -1)
        tensor([[[[0.5000, 0.5000],
                  [0.5000, 0.5000],
                  [0.5000, 0.5000],
                  [0.5000, 0.5000]]]])
    """
    for _ in range(levels):
        x = low_pass(x)
    for _ in range(-levels):
        x = 0.5 * x.repeat_interleave(2, 3).repeat_interleave(2, 2)
    return x


def bands_of(image: Tensor, low_pass: LowPassed, deepest: int) -> list[Tensor]:
    """Compute the image's bands, all at once.

    One by one, between other work, they would take a processor several
    times as long.

    Args:
        image (Tensor): The image, (N, C, H, W).
        low_pass (Callable[[Tensor], Tensor]): Keeps the low-low band.
        deepest (int): The last level that is needed.

    Returns:
        list[Tensor]: The bands, from level 0, the image itself.

    Example:
        >>> import torch
        >>> from mlfm_mm import LowPass
        >>> bands = bands_of(torch.ones(1, 3, 8, 6), LowPass(), 2)
        >>> [tuple(band.shape[2:]) for band in bands]
        [(8, 6), (4, 3), (2, 2)]
    """
    bands = [image]
    for _ in range(deepest):
        bands.append(low_pass(bands[-1]))
    return bands


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
    pairs = zip(taps, reads, strict=True)
    return max(tap.level for tap, does in pairs if does)


def options_of(
    state: ForwardPass,
    taps: Sequence[Tap],
    unit: LFMU,
    low_pass: LowPassed,
    size: torch.Size,
) -> dict[str, Any]:
    """Tell a unit what becomes of its memory, and how to get its input again.

    Args:
        state (ForwardPass): The pass under way, at the unit's tap.
        taps (Sequence[Tap]): All taps.
        unit (LFMU): The unit.
        low_pass (Callable[[Tensor], Tensor]): Keeps the low-low band.
        size (torch.Size): Height and width at the tap.

    Returns:
        dict[str, Any]: What the unit is called with beside its inputs.
    """
    options: dict[str, Any] = {}
    if unit.with_cp and state.grad_enabled and not traced():
        options['recall'] = recall(state, taps, low_pass, size)
    tap, *following = taps[state.next_tap :]
    if following:
        levels = following[0].level - tap.level
        options['hand_on'] = partial(carry, low_pass=low_pass, levels=levels)
    return options


def recall(
    state: ForwardPass,
    taps: Sequence[Tap],
    low_pass: LowPassed,
    size: torch.Size,
) -> Recall:
    """Tell a unit that keeps nothing how to get its input again.

    Args:
        state (ForwardPass): The pass under way, at the unit's tap.
        taps (Sequence[Tap]): All taps.
        low_pass (Callable[[Tensor], Tensor]): Keeps the low-low band.
        size (torch.Size): Height and width at the tap.

    Returns:
        Recall: Functions that compute the input.
    """
    image, maker, index = unchanged(state.image), state.maker, state.next_tap
    tap, level = taps[index], taps[index].level

    def band_again() -> Tensor:
        return meet(carry(image(), low_pass, level), size, tap)

    def memory_again() -> Tensor:
        levels = level - taps[index - 1].level
        memory = carry(renewed_memory(maker), low_pass, levels)
        return meet(memory, size, tap)

    if index == 0:
        return Recall(band_again, band_again)
    can_renew = is_lean_node(maker)
    return Recall(band_again, memory_again if can_renew else None)
