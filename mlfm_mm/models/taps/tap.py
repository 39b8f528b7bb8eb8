"""A tap: where the memory meets the trunk."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Tap:
    """A point of the trunk that a memory unit serves.

    Args:
        module (str): Name of the tapped module inside the backbone.
        channels (int): Channels of the module's output.
        reduction (int): Image size over feature size at the tap.
        aligned (bool): Whether the feature has exactly the size of the
            low-passed image when the strides divide the image size.
            Defaults to True.
        channels_last (bool): Whether the module returns maps of shape
            (N, H, W, C). Defaults to False.

    Example:
        >>> Tap('layer1', channels=64, reduction=4).level
        2
    """

    module: str
    channels: int
    reduction: int
    aligned: bool = True
    channels_last: bool = False

    @property
    def level(self) -> int:
        """int: How often the image is low-passed down to the tap."""
        return halvings(self.reduction)

    def as_maps(self, x: Tensor) -> Tensor:
        """View what the module returns as maps (N, C, H, W).

        Args:
            x (Tensor): The output of the tapped module.

        Returns:
            Tensor: A view of it, or itself.
        """
        return x.permute(0, 3, 1, 2) if self.channels_last else x

    def as_returned(self, x: Tensor) -> Tensor:
        """Convert maps back to the layout of the module's output.

        Args:
            x (Tensor): Maps of shape (N, C, H, W).

        Returns:
            Tensor: A replacement for the output of the tapped module.
        """
        if not self.channels_last:
            return x
        # Contiguous, since attention windows are views of it. Rarely a copy.
        return x.permute(0, 2, 3, 1).contiguous()


def halvings(reduction: float) -> int:
    """Count how often an image is halved to reach about a feature's size.

    Args:
        reduction (float): Image size over feature size.

    Returns:
        int: The nearest number of halvings.

    Example:
        >>> [halvings(r) for r in (1, 1.98, 4, 7.1, 32)]
        [0, 1, 2, 3, 5]
    """
    return max(0, round(math.log2(reduction)))
