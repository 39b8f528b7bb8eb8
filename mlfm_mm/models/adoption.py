"""Adoption: how a neck learns which backbone it stands beside.

OpenMMLab builds a neck from its own config alone and then assigns it to a
model: ``self.backbone = ...; self.neck = ...; self.head = ...``. PyTorch calls
a global registration hook for every such assignment. There the neck learns its
backbone, whichever entry point built the model, and before an optimizer, DDP
or EMA collects the parameters. The hook is never removed: PyTorch iterates
over these hooks while it calls them, so none can remove itself.
"""

from __future__ import annotations

from logging import WARNING

from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook


class BackboneAware(BaseModule):
    """A neck that is told about the backbone and head of its model."""

    def on_adoption(
        self, parent: nn.Module, backbone: nn.Module, row: list[nn.Module]
    ) -> None:
        """Meet the backbone.

        Args:
            parent (nn.Module): The model that owns both.
            backbone (nn.Module): Its backbone.
            row (list[nn.Module]): The necks in a row, of which it is one.
        """
        raise NotImplementedError

    def on_head(self, parent: nn.Module, head: nn.Module) -> None:
        """Meet the head, if the model has one, after the backbone.

        Args:
            parent (nn.Module): The model that owns both.
            head (nn.Module): Its head.
        """


def _on_registration(
    parent: nn.Module, name: str, child: nn.Module | None
) -> None:
    parts = parent._modules
    backbone = child if name == 'backbone' else parts.get('backbone')
    if child is None or backbone is None:
        return
    # Custom models may assign the neck before the backbone.
    candidates = list(parts.values()) if name == 'backbone' else [child]
    for part in candidates:
        row = necks_in_a_row(part)
        for neck in row:
            if isinstance(neck, BackboneAware):
                check_takes_images(parent, backbone)
                neck.on_adoption(parent, backbone, row)
    if name == 'neck':
        warn_of_another(parent, child, backbone)
    head = child if name == 'head' else parts.get('head')
    if head is None:
        return
    for part in (*parts.values(), child):
        for neck in necks_in_a_row(part):
            if isinstance(neck, BackboneAware):
                neck.on_head(parent, head)


def necks_in_a_row(part: nn.Module | None) -> list[nn.Module]:
    """List the necks that are applied one after another.

    A whole model inside another one keeps its neck: only sequences are
    searched.

    Args:
        part (nn.Module, optional): A part of a model.

    Returns:
        list[nn.Module]: The parts of a sequence, else the part alone.

    Example:
        >>> first, second, third = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
        >>> row = nn.Sequential(first, nn.Sequential(second, third))
        >>> necks_in_a_row(row) == [first, second, third]
        True
    """
    if isinstance(part, (nn.Sequential, nn.ModuleList)):
        return [neck for inner in part for neck in necks_in_a_row(inner)]
    return [] if part is None else [part]


register_module_module_registration_hook(_on_registration)


def check_takes_images(parent: nn.Module, backbone: nn.Module) -> None:
    """Refuse a model that takes clips.

    Args:
        parent (nn.Module): The model.
        backbone (nn.Module): Its backbone.

    Raises:
        ValueError: It is one of mmaction2, which give their neck segments
            and labels, and take losses from it.
    """
    bases = type(parent).__mro__
    if any(base.__module__.partition('.')[0] == 'mmaction' for base in bases):
        raise ValueError(
            f'{type(parent).__name__} with {type(backbone).__name__} takes '
            'clips: MLFMNeck serves networks on images.'
        )


def warn_of_another(
    parent: nn.Module, neck: nn.Module, backbone: nn.Module
) -> None:
    """Warn if a neck takes the place of the one that serves the backbone.

    Args:
        parent (nn.Module): A model.
        neck (nn.Module): What becomes its neck.
        backbone (nn.Module): Its backbone.
    """
    server = server_of(backbone)
    stay = {**parent._modules, 'neck': neck}.values()
    if server is not None and not any(
        server in part.modules() for part in stay if part is not None
    ):
        kind, name = type(server).__name__, type(backbone).__name__
        print_log(
            f'This {name} keeps the memory of its {kind}, which the model '
            f'with {type(neck).__name__} as its neck neither saves nor '
            'switches between training and evaluation: build a fresh '
            f'backbone, or keep the {kind} as the neck.',
            'current',
            WARNING,
        )


def check_free(neck: BackboneAware, served: str, backbone: nn.Module) -> None:
    """Refuse a second backbone, and one that another neck serves.

    Args:
        neck (BackboneAware): The neck.
        served (str): The class of its backbone, ``''`` if it has none yet.
        backbone (nn.Module): The backbone of the model that adopts it now;
            its own one, perhaps wrapped by a compiler or by DDP, is fine.

    Raises:
        ValueError: The neck serves another one, or this one has the hooks of
            another neck.
    """
    server, name = server_of(backbone), type(backbone).__name__
    if served and server is not neck:
        kind = type(neck).__name__
        raise ValueError(
            f'This {kind} already serves the {served} of another model and '
            f'cannot serve a second {name}: build one neck for each model.'
        )
    if not served and server is not None:
        kind = type(server).__name__
        raise ValueError(
            f'This {name} is already served by an {kind}: give one {kind} to '
            'a model, and build a fresh backbone for a new one.'
        )


def server_of(backbone: nn.Module) -> BackboneAware | None:
    """Find the neck that serves a backbone, or one inside a wrapper."""
    for module in backbone.modules():
        for hook in module._forward_hooks.values():
            server = getattr(hook, '__self__', None)
            if isinstance(server, BackboneAware):
                return server
    return None
