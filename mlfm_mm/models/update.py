"""The update gate: where the trunk's feature meets the sum of the gates."""

from __future__ import annotations

import torch
from torch import Tensor

UPDATES = ('add', 'concat')


def check_update(update: str) -> None:
    """Refuse an update that does not exist.

    Args:
        update (str): Its name.

    Raises:
        ValueError: The name is none of ``UPDATES``.
    """
    if update not in UPDATES:
        raise ValueError(
            f'update={update!r} is unknown; choose one of {UPDATES}.'
        )


def meet_trunk(
    x: Tensor,
    low: Tensor,
    update: str,
    identity_init: bool,
    in_place: bool = False,
) -> tuple[Tensor, Tensor]:
    """Combine the trunk's feature with the sum of the gates.

    Args:
        x (Tensor): Trunk feature of shape (N, C, H, W).
        low (Tensor): Sum of the gates, (N, C, H, W).
        update (str): ``'add'`` or ``'concat'``.
        identity_init (bool): Whether the output gate normalizes ``low``
            alone.
        in_place (bool): Whether ``low`` may be overwritten. Defaults to
            False.

    Returns:
        tuple[Tensor, Tensor]: What the output gate is to normalize, and the
        new memory, (N, C, H, W) or, for ``'concat'``, (N, 2C, H, W).

    Example:
        >>> x, low = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)
        >>> total, memory = meet_trunk(x, low, 'concat', False)
        >>> total.flatten(), memory.flatten()
        (tensor([1.]), tensor([1., 0.]))
    """
    memory = torch.cat((x, low), dim=1) if update == 'concat' else None
    if identity_init:
        return low, (x + low if memory is None else memory)
    total = low.add_(x) if in_place else x + low
    return total, (total if memory is None else memory)
