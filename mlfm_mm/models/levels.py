"""How a memory and the image's band come to the level of a tap."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .forward_pass import ForwardPass, meet
from .lean_function import is_lean_node, renewed_memory
from .recall import Recall, unchanged
from .taps import Tap

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


def next_band(state: ForwardPass, tap: Tap, low_pass: LowPassed) -> Tensor:
    """Carry the image's band on to the level of a tap.

    Args:
        state (ForwardPass): The pass under way; it remembers the band.
        tap (Tap): The tap.
        low_pass (Callable[[Tensor], Tensor]): Keeps the low-low band.

    Returns:
        Tensor: The band.
    """
    if tap.level < state.level:  # on the way up
        state.band, state.level = state.image, 0
    state.band = carry(state.band, low_pass, tap.level - state.level)
    state.level = tap.level
    return state.band


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
