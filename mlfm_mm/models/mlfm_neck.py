"""The neck that runs a low-frequency memory beside any CNN backbone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.model import ModuleList
from torch import Tensor, nn

from ..registry import MODELS
from .adoption import Adoptee, check_unserved, following_neck
from .chain import build_chain
from .forward_pass import (
    ForwardPass,
    PassSlots,
    check_image,
    half_recorded,
    is_private,
    meet,
    out_of_turn,
    unmet,
)
from .levels import bands_of, deepest_band, options_of
from .lfmu import UPDATES
from .low_pass import LowPass
from .taps import DryRun, Tap, capture_point, find_taps, tap_table
from .tracing import traced


@MODELS.register_module()
class MLFMNeck(Adoptee):
    """Multiscale Low-Frequency Memory (https://arxiv.org/abs/2403.08157).

    .. code:: text

        image ─┬─ LL^1 ──────┬─ LL^2 ──────┬─ LL^3 ─── ...   image bands
               │             │             │
               │  memory ─ LFMU ─ LL ─── LFMU ─ LL ─── ...   this neck
               │            ⇅             ⇅
               └─ backbone: stem ──────── stage ────── ...   untouched

    Assigned to a model that has a ``backbone``, the neck finds the
    backbone's taps, builds one :class:`LFMU` for each, and hooks them in
    between the stages. The backbone's parameters keep their names; all new
    ones are under ``neck.``. When called as a neck it hands the backbone's
    output on, globally pooled in a classifier.

    Args:
        taps (str | Sequence[str]): ``'auto'``, or names of modules inside
            the backbone. Defaults to ``'auto'``.
        neck (dict | list[dict] | nn.Module, optional): The neck that
            follows. When None, a classifier whose backbone ends in a 4-D map
            gets ``GlobalAveragePooling``, if no other neck follows in a list
            of necks. Defaults to None.
        wavelet (str): See :class:`LowPass`. Defaults to ``'haar'``.
        update (str): See :class:`LFMU`. Defaults to ``'add'``.
        supplement (bool | Sequence[bool]): Whether units have a supplement
            gate, for all or for each. Defaults to True.
        identity_init (bool): Whether the whole network starts as the one
            without memory. Defaults to False.
        norm_cfg (dict, optional): Norm of the units. Defaults to
            ``dict(type='BN')``.
        act_cfg (dict, optional): Activation of the gates. Defaults to
            ``dict(type='ReLU')``.
        with_cp (bool): Whether units are recomputed in the backward pass to
            save memory. Defaults to False.
        image_channels (int, optional): Channels of the image; those of the
            backbone's first convolution when None. Defaults to None.
        decoder (bool): Whether the decoder of a backbone that has one, such
            as U-Net, carries units too, for which the memory is brought up
            again. Defaults to False.
        init_cfg (dict | list[dict], optional): Initialization config.
            Defaults to None.

    Attributes:
        taps (list[Tap]): The bound taps; empty until the neck is adopted.
        units (ModuleList): One :class:`LFMU` a tap, in order.

    Raises:
        TypeError: A key of another neck was left over in the config.
        ValueError: An option is unknown or does not fit the backbone.

    Example:
        >>> import torch
        >>> from mmpretrain.registry import MODELS
        >>> model = MODELS.build(
        ...     dict(
        ...         type='ImageClassifier',
        ...         backbone=dict(type='mmpretrain.ResNet', depth=18),
        ...         neck=dict(type='mlfm_mm.MLFMNeck'),
        ...     )
        ... )
        >>> [tap.module for tap in model.neck.taps]
        ['relu', 'maxpool', 'layer1', 'layer2', 'layer3', 'layer4']
        >>> model(torch.rand(1, 3, 64, 64))[0].shape
        torch.Size([1, 512])
    """

    def __init__(
        self,
        taps: str | Sequence[str] = 'auto',
        neck: Any = None,
        wavelet: str = 'haar',
        update: str = 'add',
        supplement: bool | Sequence[bool] = True,
        identity_init: bool = False,
        norm_cfg: dict | None = dict(type='BN'),  # noqa: B006
        act_cfg: dict | None = dict(type='ReLU'),  # noqa: B006
        with_cp: bool = False,
        image_channels: int | None = None,
        decoder: bool = False,
        init_cfg: Any = None,
        **leftover: Any,
    ) -> None:
        super().__init__(init_cfg)
        # MMEngine leaves the mark in place where the base has no neck.
        leftover.pop('_delete_', None)
        if leftover:
            raise TypeError(
                f'MLFMNeck has no argument {", ".join(map(repr, leftover))}. '
                'If this came from the neck of a base config, write '
                "`neck=dict(_delete_=True, type='MLFMNeck')`; to keep that "
                'neck behind the memory, give it as `neck=dict(...)`.'
            )
        if update not in UPDATES:
            raise ValueError(
                f'update={update!r} is unknown; choose one of {UPDATES}.'
            )
        self.low_pass = LowPass(wavelet)
        self.units = ModuleList()
        self.taps: list[Tap] = []
        self.image_channels = 0
        self.supplement = supplement
        self._wanted = taps, image_channels, decoder, neck
        self._options: dict[str, Any] = dict(
            update=update,
            identity_init=identity_init,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            with_cp=with_cp,
        )
        # In a tuple, or it would be registered as a part of the neck.
        self._backbone: tuple[nn.Module, ...] = ()
        self._slots = PassSlots()
        self.neck = neck if isinstance(neck, nn.Module) else None

    # ---- binding ----------------------------------------------------------

    def on_adoption(
        self, parent: nn.Module, backbone: nn.Module, is_last: bool
    ) -> None:
        """Build the units for a backbone and hook them in.

        Args:
            parent (nn.Module): The model that owns the neck.
            backbone (nn.Module): Its backbone.
            is_last (bool): Whether no other neck follows in a list of necks.

        Raises:
            ValueError: The backbone cannot be served, or the neck already
                serves another one.
        """
        if self._backbone:
            self._check_same(backbone)
            return
        check_unserved(backbone)
        taps, image_channels, decoder, following = self._wanted
        self.taps, run = find_taps(backbone, taps, image_channels, decoder)
        self.image_channels = run.image_channels
        self.units = build_chain(
            self.taps, run.image_channels, self.supplement, **self._options
        )
        self._deepest = deepest_band(self.taps, self.units)
        self._spare = [run.hands_over(tap.module) for tap in self.taps]
        if self.neck is None:
            pools = is_last and run.ends_in_map
            self.neck = following_neck(following, parent, pools)
        self._attach(backbone, run)
        self._backbone = (backbone,)
        print_log(
            f'MLFMNeck serves {type(backbone).__name__} at '
            f'{len(self.taps)} taps:\n{self.extra_repr()}',
            logger='current',
        )

    def _check_same(self, backbone: nn.Module) -> None:
        # The same one, perhaps wrapped by a compiler or by DDP.
        served = self._backbone[0]
        if all(module is not served for module in backbone.modules()):
            raise ValueError(
                'This MLFMNeck already serves the '
                f'{type(served).__name__} of another model and '
                f'cannot serve a second {type(backbone).__name__}: build '
                'one neck for each model.'
            )

    def _check_adopted(self) -> None:
        if not self._backbone:
            raise RuntimeError(unmet(self._backbone, self.taps))

    def _attach(self, backbone: nn.Module, run: DryRun) -> None:
        # Bound methods, so that a copy of the model calls the copy's neck.
        start = backbone.get_submodule(capture_point(run))
        start.register_forward_pre_hook(self._start_pass)
        for index, tap in enumerate(self.taps):
            module = backbone.get_submodule(tap.module)
            module.register_forward_hook(partial(self._visit, index))
        # Called after an exception too, so that no tensor outlives its pass.
        backbone.register_forward_hook(self._end_pass, always_call=True)

    # ---- one forward pass -------------------------------------------------

    def _start_pass(self, module: nn.Module, inputs: tuple) -> None:
        slot, image = self._slots.mine(), inputs[0]
        slot.complete, slot.current = False, None
        if not traced():
            check_image(image, self.image_channels, self.taps)
        slot.current = ForwardPass(image)

    def _end_pass(self, module: nn.Module, inputs: tuple, out: Any) -> None:
        self._slots.mine().current = None

    def _visit(
        self, index: int, module: nn.Module, inputs: tuple, x: Tensor
    ) -> Tensor:
        """Let a unit replace the feature of its tap."""
        slot = self._slots.mine()
        state, tap, unit = slot.current, self.taps[index], self.units[index]
        if state is None or state.next_tap != index:
            raise RuntimeError(out_of_turn(tap, state, self.taps))
        if unit.training and state.grad_enabled != torch.is_grad_enabled():
            raise RuntimeError(half_recorded(tap))
        is_last = index + 1 == len(self.taps)
        if is_last:
            # Before the unit runs: recomputation may leave from inside it.
            slot.current, slot.complete = None, True
        if index == 0:
            state.bands = bands_of(state.image, self.low_pass, self._deepest)
        size, band = x.shape[-2:], state.image
        if index == 0 or unit.supplement_gate is not None:
            band = meet(state.bands[tap.level], size, tap)
        memory = band if index == 0 else meet(state.memory, size, tap)
        options = options_of(state, self.taps, unit, self.low_pass, size)
        if self._spare[index] and is_private(module, unit):
            options['in_place'] = True
        x, memory = unit(x, memory, band, **options)
        if not is_last:
            state.maker = None if traced() else x.grad_fn
            state.memory, state.next_tap = memory, index + 1
        return x

    def forward(self, feats: Any) -> Any:
        """Hand on what the backbone returned.

        Args:
            feats (tuple[Tensor] | Tensor): The backbone's output, already
                refined by the units.

        Returns:
            tuple[Tensor] | Tensor: The following neck's output, or
            ``feats``.

        Raises:
            RuntimeError: The backbone's forward pass did not meet the taps.
        """
        slot = self._slots.mine()
        if not slot.complete:
            raise RuntimeError(unmet(self._backbone, self.taps))
        slot.complete = False
        return feats if self.neck is None else self.neck(feats)

    # ---- what users see ---------------------------------------------------

    def fuse(self) -> None:
        """Fold the norms of all units for good; see :meth:`LFMU.fuse`.

        Raises:
            RuntimeError: No model has adopted the neck yet.
            ValueError: A unit cannot be fused.
        """
        self._check_adopted()
        for unit in self.units:
            unit.fuse()

    def init_weights(self) -> None:
        """Initialize the units, once the neck has been adopted."""
        self._check_adopted()
        super().init_weights()

    def extra_repr(self) -> str:
        """Show the bound taps as a table in ``print(model.neck)``."""
        if not self.taps:
            return '(not adopted by a model yet)'
        return tap_table(self.taps, self.units)
