"""How a unit that keeps nothing gets its memory and its image again.

With ``with_cp`` a unit keeps neither the memory nor the band of the image
that it reads: a band follows from the image, and a memory from the unit
before it. What is left to keep is what the trunk keeps anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Recall:
    """Functions that compute once more what a unit was given.

    Args:
        image (Callable[[], Tensor]): Gives the band of the image.
        memory (Callable[[], Tensor], optional): Gives the memory; it must
            be kept where this is None. Defaults to None.
    """

    image: Callable[[], Tensor]
    memory: Callable[[], Tensor] | None = None


def unchanged(x: Tensor) -> Callable[[], Tensor]:
    """Hold on to a tensor that must not be changed in place.

    Args:
        x (Tensor): The tensor.

    Returns:
        Callable[[], Tensor]: Gives the tensor.

    Raises:
        RuntimeError: When asked, if it was changed.

    Example:
        >>> import torch
        >>> x = torch.zeros(2)
        >>> held = unchanged(x)
        >>> held() is x
        True
        >>> _ = x.add_(1)
        >>> held()
        Traceback (most recent call last):
        ...
        RuntimeError: The image was changed in place after the forward pass,
        but with_cp=True needs it in the backward pass: change a copy of it.
    """
    version = x._version if not x.is_inference() else 0

    def give() -> Tensor:
        if not x.is_inference() and x._version != version:
            raise RuntimeError(
                'The image was changed in place after the forward pass, but '
                'with_cp=True needs it in the backward pass: change a copy '
                'of it.'
            )
        return x

    return give
