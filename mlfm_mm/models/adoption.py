"""Adoption: how a neck learns which backbone it stands beside.

OpenMMLab builds a neck from its own config alone and then assigns it to a
model: ``self.backbone = ...; self.neck = ...``. PyTorch reports every such
assignment to a registration hook, and that is where a neck can meet the
backbone, in any entry point and before an optimizer, DDP or EMA looks at the
parameters. The hook stays for good: PyTorch walks over its hooks while it
calls them, so none may leave from inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.model import BaseModule
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook


class Adoptee(BaseModule):
    """A module that is told the backbone of the model it is assigned to."""

    def on_adoption(
        self, parent: nn.Module, backbone: nn.Module, is_last: bool
    ) -> None:
        """Meet the backbone.

        Args:
            parent (nn.Module): The model that owns both.
            backbone (nn.Module): Its backbone.
            is_last (bool): Whether no other neck follows in a list of necks.
        """
        raise NotImplementedError


def adoptees(module: nn.Module | None) -> Iterator[tuple[Adoptee, bool]]:
    """Find the adoptees in a neck or in a list of necks.

    A whole model inside another one keeps its neck: only sequences are
    searched.

    Args:
        module (nn.Module, optional): What is being assigned.

    Yields:
        tuple[Adoptee, bool]: An adoptee, and whether it is the last neck.
    """
    if isinstance(module, Adoptee):
        yield module, True
    elif isinstance(module, (nn.Sequential, nn.ModuleList)):
        for i, child in enumerate(module, start=1):
            for adoptee, is_last in adoptees(child):
                yield adoptee, is_last and i == len(module)


def _on_registration(
    parent: nn.Module, name: str, child: nn.Module | None
) -> None:
    if name == 'backbone' and child is not None:
        # A model of one's own may assign its neck first.
        for other in parent._modules.values():
            _introduce(parent, child, other)
        return
    backbone = parent._modules.get('backbone')
    if backbone is not None:
        _introduce(parent, backbone, child)


def _introduce(
    parent: nn.Module, backbone: nn.Module, neck: nn.Module | None
) -> None:
    for adoptee, is_last in adoptees(neck):
        adoptee.on_adoption(parent, backbone, is_last)


register_module_module_registration_hook(_on_registration)


def following_neck(
    neck: Any, parent: nn.Module, pools: bool
) -> nn.Module | None:
    """Build the neck that follows an adoptee, in its parent's library.

    Args:
        neck (dict | list[dict], optional): Its config.
        parent (nn.Module): The model that owns the neck.
        pools (bool): Whether a classifier's features want global pooling
            when there is no config.

    Returns:
        nn.Module | None: The neck, or None when nothing follows.
    """
    if neck is None:
        # Known by name, so that no host need be installed that is not used.
        bases = {base.__name__ for base in type(parent).__mro__}
        if not (pools and 'BaseClassifier' in bases):
            return None
        neck = dict(type='GlobalAveragePooling')
    hosts = (base.__module__.split('.')[0] for base in type(parent).__mro__)
    scope = next((h for h in hosts if h in ROOT_MODELS.children), None)
    with DefaultScope.overwrite_default_scope(scope):
        return ROOT_MODELS.build(neck)


def check_unserved(backbone: nn.Module) -> None:
    """Refuse a backbone that an adoptee serves already.

    Args:
        backbone (nn.Module): The backbone.

    Raises:
        ValueError: It has the hooks of an adoptee.
    """
    for hook in backbone._forward_hooks.values():
        server = getattr(hook, '__self__', None)
        if isinstance(server, Adoptee):
            kind = type(server).__name__
            raise ValueError(
                f'This {type(backbone).__name__} is already served by an '
                f'{kind}: give one {kind} to a model, and build a fresh '
                'backbone for a new one.'
            )


def check_same(adoptee: Adoptee, served: str, backbone: nn.Module) -> None:
    """Refuse a second backbone.

    Args:
        adoptee (Adoptee): What has been adopted before.
        served (str): The class of its backbone.
        backbone (nn.Module): The backbone of the model that adopts it now;
            the same one, perhaps wrapped by a compiler or by DDP, is fine.

    Raises:
        ValueError: It is another one.
    """
    for module in backbone.modules():
        for hook in module._forward_hooks.values():
            if getattr(hook, '__self__', None) is adoptee:
                return
    kind = type(adoptee).__name__
    raise ValueError(
        f'This {kind} already serves the {served} of another model and '
        f'cannot serve a second {type(backbone).__name__}: build one neck '
        'for each model.'
    )
