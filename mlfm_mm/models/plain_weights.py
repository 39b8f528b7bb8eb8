"""Weights of a network without memory, loaded into one with it.

Behind a memory the neck that a network had has another name. Its weights
are renamed as they are loaded, so that they find it from any checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn


def move_behind(
    state_dict: dict[str, Any],
    prefix: str,
    owner: nn.Module,
    following: nn.Module | None,
) -> None:
    """Let a following neck be loaded from where it stood alone.

    Args:
        state_dict (dict[str, Any]): The weights, changed in place.
        prefix (str): Where the memory lies, such as ``'neck.'``.
        owner (nn.Module): The memory's neck, which holds ``following`` under
            the name ``neck``.
        following (nn.Module, optional): The neck that follows.
    """
    if following is not None:
        names = _names_in(following) - _names_in(owner)
        _rename(
            state_dict,
            prefix,
            lambda name: f'neck.{name}' if name in names else name,
        )


def make_room(
    state_dict: dict[str, Any],
    prefix: str,
    position: int,
    following: nn.Module | None,
) -> None:
    """Let a list of necks be loaded that was one shorter.

    Args:
        state_dict (dict[str, Any]): The weights, changed in place.
        prefix (str): Where the list lies, such as ``'neck.'``.
        position (int): Where the memory stands in it.
        following (nn.Module, optional): The neck inside the memory's; with
            weights of its own it is the one that was in this place.

    Example:
        >>> weights = {'neck.0.a': 1, 'neck.1.a': 2, 'head.a': 3}
        >>> make_room(weights, 'neck.', 0, None)
        >>> weights
        {'head.a': 3, 'neck.1.a': 1, 'neck.2.a': 2}
    """
    own = f'{prefix}{position}.units.'
    if following is not None and _names_in(following):
        return
    if not any(name.startswith(own) for name in state_dict):
        _rename(state_dict, prefix, lambda name: _shifted(name, position))


def _rename(
    state_dict: dict[str, Any], prefix: str, rename: Callable[[str], str]
) -> None:
    names = [name for name in state_dict if name.startswith(prefix)]
    moved = {
        prefix + rename(name[len(prefix) :]): state_dict.pop(name)
        for name in names
    }
    state_dict.update(moved)


def _shifted(name: str, position: int) -> str:
    first, _, rest = name.partition('.')
    if not first.isdigit():  # of a neck that was no list
        return f'{1 if position == 0 else 0}.{name}'
    index = int(first)
    return f'{index + (index >= position)}.{rest}'


def _names_in(module: nn.Module) -> set[str]:
    tensors = (*module.named_parameters(), *module.named_buffers())
    return {name for name, _ in tensors}
