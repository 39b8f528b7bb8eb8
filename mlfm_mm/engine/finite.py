"""Check numbers for infinities and for what is no number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from .models import local_parts


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Check that all numbers are finite, at the cost of a norm.

    Tensors of one dtype on a GPU take a few launches and one synchronization,
    however many they are.

    Args:
        tensors (Iterable[Tensor]): Floating-point tensors of any shapes.

    Returns:
        bool: Whether all of their numbers are finite.

    Example:
        >>> all_finite([torch.ones(2), torch.tensor([1e30])])
        True
        >>> all_finite([torch.ones(2), torch.tensor([float('nan')])])
        False
    """
    kinds = defaultdict(list)
    for tensor in tensors:
        kinds[tensor.device, tensor.dtype].append(tensor)
    return all(map(_all_finite_of_a_kind, kinds.values()))


def _all_finite_of_a_kind(tensors: list[Tensor]) -> bool:
    # A sum of squares may overflow where no number does.
    return _have_finite_norms(tensors) or _have_finite_norms(
        [tensor / torch.finfo(tensor.dtype).max for tensor in tensors]
    )


def _have_finite_norms(tensors: list[Tensor]) -> bool:
    # This norm has fast kernels on every device, where the largest magnitude
    # takes fifty times as long on a CPU; and of sharded tensors it is the same
    # in all processes. PyTorch's public function for many tensors,
    # torch.nn.utils.get_total_norm, begins with 2.6.
    norms = torch.stack(torch._foreach_norm(tensors))
    return bool(norms.isfinite().all())


def not_finite(state: dict[str, Tensor]) -> Iterator[str]:
    """Name the tensors that hold an infinity or no number.

    Args:
        state (dict[str, Tensor]): Tensors by name, such as a state dict.

    Yields:
        str: The names.

    Example:
        >>> list(not_finite(dict(a=torch.ones(1), b=torch.ones(1) / 0)))
        ['b']
    """
    for name, value in state.items():
        if not all(part.isfinite().all() for part in local_parts(value)):
            yield name
