"""The neck behind the memory: given by the config, or fit for the head."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from logging import WARNING
from typing import TYPE_CHECKING

import torch
from mmengine.logging import print_log
from mmengine.registry import MODELS as ROOT_MODELS
from torch import Tensor, nn
from torch.nn.modules.instancenorm import _InstanceNorm

from ..registry import MODELS
from . import refusals
from .taps.dry_run import DryRun, without_data

if TYPE_CHECKING:
    from .lfmu import LFMU
    from .mlfm_neck import MLFMNeck

POOLING = 'GlobalAveragePooling'


@MODELS.register_module()
class ChannelsFirst(nn.Module):
    """A neck that permutes maps (N, H, W, C) to (N, C, H, W).

    Some networks of timm return the former, and the hosts' necks and heads
    take the latter.

    Example:
        >>> maps = torch.ones(1, 4, 6, 8)
        >>> [map.shape for map in ChannelsFirst()((maps,))]
        [torch.Size([1, 8, 4, 6])]
    """

    def forward(self, feats: Sequence[Tensor] | Tensor) -> tuple[Tensor, ...]:
        """Permute maps.

        Args:
            feats (Sequence[Tensor] | Tensor): Maps of shape (N, H, W, C).

        Returns:
            tuple[Tensor, ...]: Views of shape (N, C, H, W).
        """
        feats = [feats] if isinstance(feats, Tensor) else feats
        return tuple(x.permute(0, 3, 1, 2) for x in feats)


class Following:
    """Chooses the neck that follows another one.

    Args:
        given (dict | list[dict] | nn.Module | bool, optional): What the
            config says: the neck, False for none, or None for what the head
            takes.
    """

    def __init__(
        self, given: dict | list[dict] | nn.Module | bool | None
    ) -> None:
        self.given = given
        self._feats: object = None  # as long as a head may still decide
        self._rearranges = False
        self._centred = ''  # the tap whose channels have mean zero, if one

    def choose(
        self,
        parent: nn.Module,
        run: DryRun,
        row: Sequence[nn.Module],
        neck: MLFMNeck,
    ) -> nn.Module | None:
        """Choose when the model is known.

        Args:
            parent (nn.Module): The model that owns the necks.
            run (DryRun): The dry run of its backbone.
            row (Sequence[nn.Module]): The necks in a row.
            neck (MLFMNeck): The one of them that it is to follow.

        Returns:
            nn.Module | None: The neck, or None for nothing.
        """
        given = self.given
        tap, unit = neck.taps[-1], neck.units[-1]
        if run.flow.is_returned(run.calls_of(tap.module)[-1].index):
            self._centred = tap.module if _centres(unit) else ''
        behind = row.index(neck) + 1
        self._check_pooling(*row[behind : behind + 1])
        if given and not isinstance(given, nn.Module):
            # As the host builds its necks, in the scope of a user's project.
            host = ROOT_MODELS.children.get(_host_of(parent), ROOT_MODELS)
            given = host.build(given)
        if isinstance(given, nn.Module):
            self._check_pooling(given)
            return given
        if given is None and neck is row[-1]:
            self._feats = _arriving(run.output, row[:-1])
            of_host = _host_of(parent) is not None
            self._rearranges = of_host and run.channels_last and len(row) == 1
        return self._default(parent, self._feats, None)

    def _default(
        self, parent: nn.Module, feats: object, head: nn.Module | None
    ) -> nn.Module | None:
        if not self._rearranges:
            return _pooling_or_none(parent, feats, head)
        first = ChannelsFirst()
        pooling = _pooling_or_none(parent, _run_copy(first, feats), head)
        return first if pooling is None else nn.Sequential(first, pooling)

    def choose_for_head(
        self, parent: nn.Module, head: nn.Module, chosen: nn.Module | None
    ) -> nn.Module | None:
        """Choose again when the head is known, too.

        Args:
            parent (nn.Module): The model that owns the necks.
            head (nn.Module): Its head.
            chosen (nn.Module, optional): What was chosen before.

        Returns:
            nn.Module | None: The neck, or None for nothing.
        """
        if self._feats is None:
            return chosen
        feats, self._feats = self._feats, None
        chosen = self._default(parent, feats, head)
        if chosen is not None:
            self._check_pooling(chosen)
            # Say so: a base config's neck without arguments was overridden
            # without a trace.
            print_log(
                f'{_names(chosen)} follows the memory, since no neck '
                "was given; a base config's own is kept by "
                'neck={{_base_.model.neck}} in MLFMNeck.',
                logger='current',
            )
        return chosen

    def _check_pooling(self, *following: nn.Module) -> None:
        """Warn if pooling returns means that a norm has made constant."""
        if self._centred and POOLING in map(_first, following):
            print_log(refusals.blind(self._centred), 'current', WARNING)


def _centres(unit: LFMU) -> bool:
    """Tell whether each channel of an image leaves a unit with one mean."""
    norm = unit.output_gate
    alone = isinstance(norm, _InstanceNorm) or (
        isinstance(norm, nn.GroupNorm) and norm.num_groups == norm.num_channels
    )
    return alone and not unit.identity_init


def _first(neck: nn.Module) -> str:
    while isinstance(neck, nn.Sequential) and len(neck):
        neck = neck[0]
    return type(neck).__name__


def _names(neck: nn.Module) -> str:
    parts = neck if isinstance(neck, nn.Sequential) else [neck]
    return ', '.join(type(part).__name__ for part in parts)


def _pooling_or_none(
    parent: nn.Module, feats: object, head: nn.Module | None
) -> nn.Module | None:
    """Take global pooling or nothing.

    Classifiers pool by default and other models do not; where the head
    accepts only the opposite, that is taken.
    """
    last = feats[-1] if isinstance(feats, (list, tuple)) else feats
    if not isinstance(last, Tensor) or last.dim() != 4:
        return None
    # By name, so that no host has to be installed.
    bases = {base.__name__ for base in type(parent).__mro__}
    pools = 'BaseClassifier' in bases
    with ROOT_MODELS.switch_scope_and_registry(_host_of(parent)) as registry:
        kind = registry.get(POOLING)
    pooling = None if kind is None else kind()
    if head is not None and pooling is not None:
        takes_pooled = _takes(head, _run_copy(pooling, feats))
        if takes_pooled != _takes(head, feats):
            pools = takes_pooled
    return pooling if pools else None


def _arriving(output: object, before: Iterable[nn.Module]) -> object:
    """Run the necks in front of the memory; without them if one fails."""
    feats = output
    try:
        for neck in before:
            feats = _run_copy(neck, feats)
    except Exception:  # whatever a neck may raise
        return output
    return feats


def _host_of(parent: nn.Module) -> str | None:
    hosts = (base.__module__.split('.')[0] for base in type(parent).__mro__)
    return next((h for h in hosts if h in ROOT_MODELS.children), None)


def _takes(head: nn.Module, feats: object) -> bool:
    try:
        _run_copy(head, feats)
    except Exception:  # whatever a head may raise
        return False
    return True


def _run_copy(module: nn.Module, feats: object) -> object:
    with torch.no_grad():
        return without_data(module)(feats)
