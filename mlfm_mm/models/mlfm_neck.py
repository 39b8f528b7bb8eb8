"""The neck that runs a low-frequency memory beside any CNN backbone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from mmengine.logging import print_log
from mmengine.model import ModuleList
from torch import Tensor, is_grad_enabled, nn

from ..registry import MODELS
from . import refusals
from .adoption import BackboneAware, check_free
from .chain import bands_read, build_chain
from .following import Following
from .formula import guard_formula
from .fuse import check_foldable
from .kernels import check_kernels
from .low_pass import LowPass
from .memory_pass import CurrentPass, MemoryPass, image_of
from .plain_weights import make_room, move_behind
from .pretrained import load_beside
from .taps import DryRun, Tap, capture_point, find_taps, tap_table
from .torch_internals import guard_hooks, is_traced
from .update import check_update


@MODELS.register_module()
class MLFMNeck(BackboneAware):
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
    ones are under ``neck.``. Called as a neck, it passes the backbone's
    output on, globally pooled in a classifier.

    Args:
        taps (str | Sequence[str]): ``'auto'``, ``'stages'`` for the ends of
            stages only, or names of modules. Defaults to ``'auto'``.
        neck (dict | list[dict] | nn.Module | bool, optional): The neck that
            follows; False for none. When None, what the head takes: global
            pooling or nothing. Defaults to None.
        wavelet (str): See :class:`LowPass`. Defaults to ``'haar'``.
        update (str): See :class:`LFMU`. Defaults to ``'add'``.
        supplement (bool | Sequence[bool]): Whether units have a supplement
            gate, for all or for each. Defaults to True.
        identity_init (bool): Whether the whole network starts as the one
            without memory. Defaults to False.
        norm_cfg (dict | str, optional): Norm of the units. ``'auto'`` is
            batch norm, synchronized where the backbone's is. Defaults to
            ``'auto'``.
        act_cfg (dict, optional): Activation of the gates. Defaults to
            ``dict(type='ReLU')``.
        with_cp (bool): Whether units are recomputed in the backward pass to
            save memory. Defaults to False.
        image_channels (int, optional): Channels of the image; those of the
            backbone's first convolution when None. Defaults to None.
        decoder (bool): Whether the decoder of a backbone that has one, such
            as U-Net, carries units too, for which the memory is brought up
            again. Defaults to False.
        kernels (str | bool): See :class:`LFMU`. Defaults to ``'auto'``.
        init_cfg (dict | list[dict], optional): Initialization config.
            Defaults to None; units beside a pretrained backbone are loaded.

    Attributes:
        taps (list[Tap]): The bound taps; empty until the neck is adopted.
        units (ModuleList): One :class:`LFMU` a tap, in order.

    Raises:
        TypeError: A key of another neck was left over in the config.
        ValueError: An option is unknown or does not fit the backbone.

    Example:
        >>> import torch
        >>> from mmpretrain.registry import MODELS
        >>> backbone = dict(type='mmpretrain.ResNet', depth=18)
        >>> neck = dict(type='mlfm_mm.MLFMNeck')
        >>> net = dict(type='ImageClassifier', backbone=backbone, neck=neck)
        >>> model = MODELS.build(net)
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
        norm_cfg: dict | Literal['auto'] | None = 'auto',
        act_cfg: dict | None = dict(type='ReLU'),  # noqa: B006
        with_cp: bool = False,
        image_channels: int | None = None,
        decoder: bool = False,
        kernels: Literal['auto', 'triton', False] = 'auto',
        init_cfg: dict | list[dict] | None = None,
        **leftover: Any,
    ) -> None:
        super().__init__(init_cfg)
        # MMEngine keeps `_delete_` where the base config has no neck.
        leftover.pop('_delete_', None)
        if leftover:
            raise TypeError(refusals.left_over(leftover, type(self)))
        check_update(update)
        check_kernels(kernels)
        self.low_pass = LowPass(wavelet)
        self.units = ModuleList()
        self.taps: list[Tap] = []
        self.image_channels = 0
        self._wanted: dict[str, Any] = dict(
            taps=taps, image_channels=image_channels, decoder=decoder
        )
        self._options: dict[str, Any] = dict(
            update=update,
            supplement=supplement,
            identity_init=identity_init,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            with_cp=with_cp,
            wavelet=wavelet,
            kernels=kernels,
        )
        self._served = ''  # the class of the backbone
        self._warned: set[str] = set()
        self._current = CurrentPass()
        self.neck = neck if isinstance(neck, nn.Module) else None
        self._following = Following(neck)
        self.register_load_state_dict_pre_hook(move_behind)
        guard_formula(self)

    # ---- binding ----------------------------------------------------------

    def on_adoption(
        self, parent: nn.Module, backbone: nn.Module, row: list[nn.Module]
    ) -> None:
        """Build the units for a backbone and hook them in.

        See :meth:`BackboneAware.on_adoption`.

        Raises:
            ValueError: It cannot be served, or the neck serves another one.
        """
        check_free(self, self._served, backbone)
        if self._served:
            return
        # Its taps are those of the backbone within torch.compile's wrapper.
        backbone = getattr(backbone, '_orig_mod', backbone)
        self.taps, run = find_taps(backbone, **self._wanted)
        channels = self.image_channels = run.image_channels
        self.units = build_chain(
            backbone, self.taps, channels, **self._options
        )
        self._bands = bands_read(self.taps, self.units)
        self.neck = self._following.choose(parent, run, row, self)
        self._backbone_cfg = getattr(backbone, 'init_cfg', None)
        self._attach(backbone, run)
        parent.register_load_state_dict_pre_hook(self._make_room)
        self._served = type(backbone).__name__
        text = f'MLFMNeck serves {self._served} at {len(self.taps)} taps:\n'
        print_log(text + self.extra_repr(), logger='current')

    def on_head(self, parent: nn.Module, head: nn.Module) -> None:
        """Let the head decide what follows, where no neck was given."""
        self.neck = self._following.choose_for_head(parent, head, self.neck)

    def _attach(self, backbone: nn.Module, run: DryRun) -> None:
        # Hooks are bound methods: deepcopy then binds them to the copied neck.
        start = backbone.get_submodule(capture_point(run, self.taps))
        start.register_forward_pre_hook(self._start_pass, with_kwargs=True)
        for index, tap in enumerate(self.taps):
            # Before any hook by which the backbone collects its features.
            backbone.get_submodule(tap.module).register_forward_hook(
                partial(self._visit, index), prepend=True
            )
        # Also after an exception, or tensors would outlive their pass.
        backbone.register_forward_hook(self._end_pass, always_call=True)
        guard_hooks()

    def __setstate__(self, state: dict) -> None:
        old = {'_warned': set(), '_bands': (state.get('_deepest'), False)}
        super().__setstate__({**old, **state})
        guard_hooks()  # this process may have built no neck

    def _make_room(
        self, parent: nn.Module, state_dict: dict, prefix: str, *_: object
    ) -> None:
        make_room(parent, self, self.neck, state_dict, prefix)

    # ---- one forward pass -------------------------------------------------

    def _start_pass(
        self, module: nn.Module, args: tuple, kwargs: dict | None = None
    ) -> None:
        current = self._current
        current.state, current.is_complete = None, False
        image = image_of(module, args, kwargs)
        if not is_traced():
            if getattr(module, '_is_replica', False):
                raise RuntimeError(refusals.replica())
            refusals.check_image(image, self.image_channels, self.taps)
        current.state = MemoryPass(
            image, self.low_pass, *self._bands, self._options['kernels']
        )

    def _end_pass(self, module: nn.Module, inputs: tuple, out: object) -> None:
        state, is_complete = self._current.end()
        learns = module.training or is_grad_enabled()
        if self.training and not (learns or is_traced()):
            text = refusals.in_training(self._served)
            refusals.warn_once(self._warned, text)
        # After an exception there is no output, and nothing to report.
        if out is not None and not is_complete:
            raise RuntimeError(refusals.unmet(state, self.taps, self._served))

    def _visit(
        self, index: int, module: nn.Module, inputs: tuple, x: Tensor
    ) -> Tensor:
        """Let a unit replace the feature of its tap."""
        current = self._current
        state, tap, unit = current.state, self.taps[index], self.units[index]
        if state is None or state.next_tap != index:
            refusals.check_proxy(x)
            raise RuntimeError(refusals.out_of_turn(tap, state, self.taps))
        x = tap.as_maps(x)
        if unit.training and not is_traced():
            state.check_training(tap, unit, x)
        if index + 1 == len(self.taps):
            # Before the unit runs: checkpoint() stops recomputing by raising
            # an exception, perhaps inside this unit.
            current.state, current.is_complete = None, True
        memory, band = state.read(tap, x, unit.supplement_gate is not None)
        x, memory = unit(x, memory, band)
        state.write(memory)
        return tap.as_returned(x)

    def forward(self, feats: Any) -> Any:
        """Pass on what the backbone returned.

        Args:
            feats (tuple[Tensor] | Tensor): The backbone's output, already
                refined by the units.

        Returns:
            tuple[Tensor] | Tensor: The following neck's output, or
            ``feats``.

        Raises:
            RuntimeError: No model has adopted the neck yet.
        """
        self._check_adopted()
        if not (is_traced() or self._current.take()):
            refusals.warn_once(self._warned, refusals.unseen(self._served))
        return feats if self.neck is None else self.neck(feats)

    # ---- what users see ---------------------------------------------------

    def fuse(self) -> None:
        """Fold the norms of all units for good; see :meth:`LFMU.fuse`.

        Raises:
            RuntimeError: No model has adopted the neck yet.
            ValueError: A unit cannot be fused; then none has been.
        """
        self._check_adopted()
        for unit in self.units:
            check_foldable(unit)
        for unit in self.units:
            unit.fuse()

    def init_weights(self) -> None:
        """Initialize the units, from the backbone's checkpoint if it can."""
        self._check_adopted()
        super().init_weights()
        if self.init_cfg is None:
            load_beside(self, self._backbone_cfg)

    def _check_adopted(self) -> None:
        if not self._served:
            raise RuntimeError(refusals.not_adopted())

    def extra_repr(self) -> str:
        """Show the bound taps as a table in ``print(model.neck)``."""
        if not self.taps:
            return '(not adopted by a model yet)'
        return tap_table(self.taps, self.units)
