"""Control experiments: the same units with other inputs.

A gain may come from the inputs of the units, or from having the units at all.
Each control keeps every parameter and changes one input, so that networks
trained with it show which it is.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from ..models import MLFMNeck
from ..registry import MODELS

Given = tuple[Tensor, Tensor]


class GivingNeck(MLFMNeck):
    """An MLFMNeck that changes the inputs of its units."""

    def on_adoption(
        self, parent: nn.Module, backbone: nn.Module, row: list[nn.Module]
    ) -> None:
        """Build the units, and add hooks that change their inputs.

        Args:
            parent (nn.Module): The model that owns the neck.
            backbone (nn.Module): Its backbone.
            row (list[nn.Module]): The necks in a row, of which it is one.

        Raises:
            ValueError: If a unit has no supplement gate.
        """
        adopted = bool(self.taps)
        super().on_adoption(parent, backbone, row)
        if adopted:
            return
        if any(unit.supplement_gate is None for unit in self.units):
            raise ValueError(
                f'{type(self).__name__} changes the image that supplement '
                'gates read: leave supplement=True'
            )
        for index, unit in enumerate(self.units):
            # A bound method: deepcopy binds it to the copied neck.
            unit.register_forward_pre_hook(partial(self._give, index))

    def _give(
        self, index: int, unit: nn.Module, inputs: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        x, memory, image, *rest = inputs
        return (x, *self.give(index, memory, image), *rest)

    def give(self, index: int, memory: Tensor, image: Tensor) -> Given:
        """Choose the inputs of a unit. The first one's memory is the image.

        Args:
            index (int): The index of the unit in the neck.
            memory (Tensor): Memory of shape (N, M, H, W).
            image (Tensor): Image band of shape (N, image_channels, H, W).

        Returns:
            tuple[Tensor, Tensor]: The memory and image band to use instead.
        """
        raise NotImplementedError


@MODELS.register_module()
class OtherImageNeck(GivingNeck):
    """Give each unit the image of the batch's next picture.

    Predictions depend on the batch: validate on batches of several pictures
    in random order (``sampler=dict(shuffle=True)``), since in a data set
    sorted by class the next picture would give the class away.

    Example:
        >>> neck = OtherImageNeck()
        >>> memory, image = neck.give(1, torch.ones(2), torch.arange(2))
        >>> image
        tensor([1, 0])
    """

    def give(self, index: int, memory: Tensor, image: Tensor) -> Given:
        """Give the next picture's image band."""
        image = image.roll(1, dims=0)
        return (memory if index else image), image


@MODELS.register_module()
class NoImageNeck(GivingNeck):
    """Give units no image: the memory holds the trunk only.

    Example:
        >>> NoImageNeck().give(1, torch.ones(2), torch.ones(2))
        (tensor([1., 1.]), tensor([0., 0.]))
    """

    def give(self, index: int, memory: Tensor, image: Tensor) -> Given:
        """Give zeros in place of the image."""
        image = torch.zeros_like(image)
        return (memory if index else image), image


@MODELS.register_module()
class NoMemoryNeck(GivingNeck):
    """Give units the image, but not the memory of earlier units.

    Example:
        >>> NoMemoryNeck().give(1, torch.ones(2), torch.ones(2))
        (tensor([0., 0.]), tensor([1., 1.]))
    """

    def give(self, index: int, memory: Tensor, image: Tensor) -> Given:
        """Give zeros in place of the memory."""
        return (torch.zeros_like(memory) if index else memory), image


@MODELS.register_module()
class NormsOnlyNeck(GivingNeck):
    """Give units neither, so that only their output norm is left.

    Example:
        >>> NormsOnlyNeck().give(0, torch.ones(2), torch.ones(2))
        (tensor([0., 0.]), tensor([0., 0.]))
    """

    def give(self, index: int, memory: Tensor, image: Tensor) -> Given:
        """Give zeros."""
        return torch.zeros_like(memory), torch.zeros_like(image)


@MODELS.register_module()
class EvenScaleNeck(GivingNeck):
    """Give units bands at the scale of the map they come from.

    An orthonormal low-pass doubles a smooth map at each level, so that the
    image of the last stage is 32 times as large as the first. Here bands are
    divided by this gain: the Haar low-pass becomes average pooling.

    Example:
        >>> EvenScaleNeck(update='concat').taps
        []
    """

    def give(self, index: int, memory: Tensor, image: Tensor) -> Given:
        """Divide by the gain of the low-passes."""
        level = self.taps[index].level
        # The memory has only passed the low-passes since the unit before.
        before = self.taps[index - 1].level if index else 0
        return memory * 2.0 ** (before - level), image * 0.5**level
