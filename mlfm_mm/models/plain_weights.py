"""Weights of a network without memory, loaded into one with it.

Adding the memory changes the name of the neck that the network had before.
Its weights are renamed while a state dict is loaded, so that checkpoints from
before still fit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn


def move_behind(
    owner: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_: object
) -> None:
    """Rename the weights of a neck that now follows the memory.

    Args:
        owner (nn.Module): The memory's neck, which holds the one that follows
            under the name ``neck``.
        state_dict (dict[str, Tensor]): The weights, changed in place.
        prefix (str): Where the memory lies, such as ``'neck.'``.
        *_: What else PyTorch gives such a hook.
    """
    following = getattr(owner, 'neck', None)
    if following is not None:
        names = _names_in(following) - _names_in(owner)
        _rename(
            state_dict,
            prefix,
            lambda name: f'neck.{name}' if name in names else name,
        )


def make_room(
    parent: nn.Module,
    neck: nn.Module,
    following: nn.Module | None,
    state_dict: dict[str, Tensor],
    prefix: str,
) -> None:
    """Renumber the weights of a list of necks that the memory has joined.

    Args:
        parent (nn.Module): The model that owns the list, if it is one.
        neck (nn.Module): The memory's neck in it.
        following (nn.Module, optional): The neck inside the memory's. If it
            has weights, it took this place before, and nothing moves.
        state_dict (dict[str, Tensor]): The weights, changed in place.
        prefix (str): Where the parent lies in them.

    Example:
        >>> parent, memory = nn.Module(), nn.ReLU()
        >>> parent.neck = nn.Sequential(memory, nn.Conv2d(1, 1, 1))
        >>> weights = {'neck.weight': 1, 'head.weight': 2}
        >>> make_room(parent, memory, None, weights, '')
        >>> weights
        {'head.weight': 2, 'neck.1.weight': 1}
    """
    if following is not None and _names_in(following):
        return
    for name, necks in parent.named_children():
        members = list(necks.children())
        if necks is neck or neck not in members:
            continue
        path, position = f'{prefix}{name}.', members.index(neck)
        own = f'{path}{position}.units.'
        if not any(key.startswith(own) for key in state_dict):
            _rename(state_dict, path, partial(_shifted, position=position))


def _rename(
    state_dict: dict[str, Tensor], prefix: str, rename: Callable[[str], str]
) -> None:
    names = [name for name in state_dict if name.startswith(prefix)]
    moved = {
        prefix + rename(name[len(prefix) :]): state_dict.pop(name)
        for name in names
    }
    state_dict.update(moved)


def _shifted(name: str, position: int) -> str:
    first, _, rest = name.partition('.')
    if not first.isdigit():  # a single neck, not a list
        return f'{1 if position == 0 else 0}.{name}'
    index = int(first)
    return f'{index + (index >= position)}.{rest}'


def _names_in(module: nn.Module) -> set[str]:
    # A tensor that several modules share has as many names in checkpoints.
    parameters = module.named_parameters(remove_duplicate=False)
    buffers = module.named_buffers(remove_duplicate=False)
    return {name for name, _ in (*parameters, *buffers)}
