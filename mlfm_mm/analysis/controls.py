"""Controls: the same units, given something else than the method says.

A gain may come from what the units are given, or from having them at all.
Each control keeps every parameter and changes one input, so that networks
trained with it tell the two apart.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..models import MLFMNeck
from ..registry import MODELS

Given = tuple[Tensor, Tensor]


def other_image(memory: Tensor, image: Tensor, is_first: bool) -> Given:
    """Give the image band of the batch's next picture."""
    image = image.roll(1, dims=0)
    return (image if is_first else memory), image


def no_image(memory: Tensor, image: Tensor, is_first: bool) -> Given:
    """Give no image; the first unit has nothing to remember then."""
    image = torch.zeros_like(image)
    return (image if is_first else memory), image


def no_memory(memory: Tensor, image: Tensor, is_first: bool) -> Given:
    """Give no memory of other units; the first one's is the image."""
    return (memory if is_first else torch.zeros_like(memory)), image


def nothing(memory: Tensor, image: Tensor, is_first: bool) -> Given:
    """Give neither, which leaves the unit its output norm."""
    return torch.zeros_like(memory), torch.zeros_like(image)


CONTROLS: dict[str, Callable[[Tensor, Tensor, bool], Given]] = {
    control.__name__: control
    for control in (other_image, no_image, no_memory, nothing)
}


class _GivingNeck(MLFMNeck):
    """An MLFMNeck that changes what its units are given."""

    def on_adoption(
        self, parent: nn.Module, backbone: nn.Module, is_last: bool
    ) -> None:
        adopted = bool(self.taps)
        super().on_adoption(parent, backbone, is_last)
        if adopted:
            return
        for index, unit in enumerate(self.units):
            # A bound method, so that a copy of the model calls the copy's.
            unit.register_forward_pre_hook(partial(self._give, index))

    def _give(
        self, index: int, unit: nn.Module, inputs: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        x, memory, image, *rest = inputs
        return (x, *self.give(index, memory, image), *rest)

    def give(self, index: int, memory: Tensor, image: Tensor) -> Given:
        raise NotImplementedError


@MODELS.register_module()
class ControlNeck(_GivingNeck):
    """MLFM as a control of itself.

    With ``'other_image'`` predictions depend on the batch: validate on
    batches of several pictures in an order without meaning (``sampler=dict(
    shuffle=True)``), or the next picture, of the same class, tells the class.

    Args:
        control (str): ``'other_image'``, the image band of the batch's next
            picture; ``'no_image'``, zeros in its place; ``'no_memory'``,
            zeros instead of what other units have remembered; or
            ``'nothing'``, zeros for both.
        **kwargs: Of :class:`mlfm_mm.MLFMNeck`.

    Raises:
        ValueError: If ``control`` is unknown.

    Example:
        >>> neck = ControlNeck(control='no_image', update='concat')
        >>> neck.control
        'no_image'
    """

    def __init__(self, control: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if control not in CONTROLS:
            raise ValueError(
                f'control={control!r} is unknown; choose one of '
                f'{", ".join(CONTROLS)}.'
            )
        self.control = control

    def give(self, index: int, memory: Tensor, image: Tensor) -> Given:
        """Change what a unit is given.

        Args:
            index (int): The unit's place in the neck.
            memory (Tensor): Memory of shape (N, M, H, W).
            image (Tensor): Image band of shape (N, image_channels, H, W).

        Returns:
            tuple[Tensor, Tensor]: Memory and image band instead.
        """
        return CONTROLS[self.control](memory, image, index == 0)


@MODELS.register_module()
class EvenScaleNeck(_GivingNeck):
    """MLFM whose bands keep the scale of the map they come from.

    An orthonormal low-pass doubles a smooth map at each level, so that the
    image of the last stage is 32 times as large as the first. Here all is
    divided by what it has gained: the Haar low-pass becomes average pooling.

    Args:
        **kwargs: Of :class:`mlfm_mm.MLFMNeck`.

    Example:
        >>> EvenScaleNeck(update='concat').taps
        []
    """

    def give(self, index: int, memory: Tensor, image: Tensor) -> Given:
        """Divide what a unit is given by what low-passing has multiplied.

        Args:
            index (int): The unit's place in the neck.
            memory (Tensor): Memory of shape (N, M, H, W).
            image (Tensor): Image band of shape (N, image_channels, H, W).

        Returns:
            tuple[Tensor, Tensor]: Memory and image band at one scale.
        """
        level = self.taps[index].level
        # The memory comes from the unit before, at its scale already.
        before = self.taps[index - 1].level if index else 0
        return memory * 2.0 ** (before - level), image * 0.5**level
