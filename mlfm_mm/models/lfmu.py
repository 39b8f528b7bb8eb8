"""The Low-Frequency Memory Unit: the gates between memory and trunk."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from mmcv.cnn import ConvModule, build_norm_layer, fuse_conv_bn
from mmengine.model import BaseModule, constant_init
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..registry import MODELS
from . import kernels
from .fuse import Affine, check_foldable
from .kernels import check_kernels
from .low_pass import ForgetGate
from .pretrained import pretrained_of
from .refusals import check_configs, check_flags
from .torch_internals import buffers_kept, in_backward_pass
from .update import check_update, meet_trunk


@MODELS.register_module()
class LFMU(BaseModule):
    r"""Low-Frequency Memory Unit (https://arxiv.org/abs/2403.08157).

    .. code:: text

        memory m ── input gate ───────┐
                                      + ── l
        image I_k ─ supplement gate ──┘    │
                                           ├── update gate ── forget gate ── m'
        feature x ─────────────────────────┤
                                           └── output gate ── feature x'

    With ``l`` the sum of the two gates' ReLU(Norm(Conv(.))), the update is
    ``m' = x + l`` (``'add'``) or ``m' = cat(x, l)`` (``'concat'``), and the
    output is ``x' = Norm(x + l)`` with no activation. The forget gate then
    low-passes the new memory as often as the trunk halves its resolution
    before the next unit.

    With ``identity_init`` the output gate is ``x' = x + Norm(l)`` and its
    norm starts at zero, so that a pretrained trunk is undisturbed at step 0.
    The zero stands behind the ReLUs, not in front of them: a ReLU at exactly
    zero passes no gradient, and gates silenced by their own norm would never
    wake up.

    Args:
        memory_channels (int): Channels M of the memory that arrives.
        channels (int): Channels C of the trunk's feature.
        image_channels (int): Channels of the image. Defaults to 3.
        update (str): ``'add'`` or ``'concat'``. Defaults to ``'add'``.
        supplement (bool): Whether to have the supplement gate. Defaults to
            True.
        identity_init (bool): Whether the unit starts as the identity on the
            trunk. Defaults to False.
        norm_cfg (dict, optional): Config of every norm. Defaults to
            ``dict(type='BN')``.
        act_cfg (dict, optional): Config of the gates' activation. Defaults
            to ``dict(type='ReLU')``.
        with_cp (bool): Whether to recompute the unit in the backward pass
            instead of keeping its activations. Defaults to False.
        levels (int): How often the forget gate low-passes the memory, or
            brings it up again if negative. Defaults to 0.
        wavelet (str): Wavelet of the forget gate, see :class:`LowPass`.
            Defaults to ``'haar'``.
        kernels (str | bool): ``'auto'`` runs the unit by faster operators
            where they apply, on a GPU by a few kernels in Triton; False runs
            it by PyTorch's own, which second derivatives need; ``'triton'``
            insists on Triton, also for GPUs before the A100. All give the
            same numbers. Defaults to ``'auto'``.
        init_cfg (dict | list[dict], optional): Initialization config.
            Defaults to None.

    Raises:
        ImportError: ``kernels='triton'`` without Triton.
        TypeError: ``norm_cfg`` or ``act_cfg`` is a string.
        ValueError: ``update`` or ``kernels`` is unknown, a flag is a word, or
            ``identity_init`` is asked of a norm that has no weight to start
            at zero.

    Example:
        >>> import torch
        >>> from mlfm_mm import LFMU
        >>> unit = LFMU(memory_channels=3, channels=16, levels=1)
        >>> x, image = torch.rand(2, 16, 8, 8), torch.rand(2, 3, 8, 8)
        >>> x_out, memory_out = unit(x, image, image)
        >>> x_out.shape, memory_out.shape
        (torch.Size([2, 16, 8, 8]), torch.Size([2, 16, 4, 4]))
    """

    def __init__(
        self,
        memory_channels: int,
        channels: int,
        image_channels: int = 3,
        update: str = 'add',
        supplement: bool = True,
        identity_init: bool = False,
        norm_cfg: dict | None = dict(type='BN'),  # noqa: B006
        act_cfg: dict | None = dict(type='ReLU'),  # noqa: B006
        with_cp: bool = False,
        levels: int = 0,
        wavelet: str = 'haar',
        kernels: Literal['auto', 'triton', False] = 'auto',
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_update(update)
        check_kernels(kernels)
        check_flags(
            supplement=supplement, identity_init=identity_init, with_cp=with_cp
        )
        check_configs(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.channels = channels
        self.norm_cfg = norm_cfg
        self.update = update
        self.identity_init = identity_init
        self.with_cp = with_cp
        self.kernels = kernels
        self.input_gate = ConvModule(
            memory_channels, channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg
        )
        self.supplement_gate = None
        if supplement:
            self.supplement_gate = ConvModule(
                image_channels,
                channels,
                3,
                padding=1,
                norm_cfg=norm_cfg,
                act_cfg=act_cfg,
            )
        for gate in self.children():
            # ConvModule initializes itself when built. Doing so again in the
            # model's init_weights() would override an `init_cfg` above it.
            gate.is_init = True
        self.output_gate = (
            None
            if norm_cfg is None
            else build_norm_layer(norm_cfg, channels)[1]
        )
        self.forget_gate = ForgetGate(levels, wavelet)
        if identity_init:
            self._silence()

    @property
    def memory_channels_out(self) -> int:
        """int: Channels of the memory that leaves the unit."""
        return self.channels * (2 if self.update == 'concat' else 1)

    def init_weights(self) -> None:
        """Initialize as configured, then start as the identity if asked."""
        super().init_weights()
        if self.identity_init and not pretrained_of(self.init_cfg):
            self._silence()

    def _silence(self) -> None:
        if getattr(self.output_gate, 'weight', None) is None:
            raise ValueError(
                'identity_init=True starts the output gate at a norm weight '
                f'of zero, but norm_cfg={self.norm_cfg} gives no such '
                'weight; choose a norm_cfg with affine=True, such as '
                "dict(type='BN')."
            )
        constant_init(self.output_gate, val=0, bias=0)

    def forward(
        self, x: Tensor, memory: Tensor, image: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Add the memory to the trunk's feature, and update the memory.

        Args:
            x (Tensor): Trunk feature of shape (N, C, H, W).
            memory (Tensor): Memory of shape (N, M, H, W).
            image (Tensor, optional): Low band of the image, of shape
                (N, image_channels, H, W). Not read by a unit without
                supplement gate.

        Returns:
            tuple[Tensor, Tensor]: The feature that replaces ``x``, of shape
            (N, C, H, W), and the memory for the next unit, of C channels, or
            2C for ``update='concat'``, at the next unit's level.
        """
        form = kernels.choose(self, x, memory, image) or LFMU._by_formulas
        inputs = self, x, memory, image
        if self.with_cp and self.training and torch.is_grad_enabled():
            return checkpoint(
                _run_recorded_once, form, *inputs, use_reentrant=False
            )
        with _recorded_once(self):
            return form(*inputs)

    def _by_formulas(
        self, x: Tensor, memory: Tensor, image: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        low = self.input_gate(memory)
        if self.supplement_gate is not None:
            low = low + self.supplement_gate(image)
        # Under autocast the gates may come in another precision; the trunk
        # keeps its own.
        low = low.to(x.dtype)
        total, memory = meet_trunk(x, low, self.update, self.identity_init)
        return self._put_out(x, total), self.forget_gate(memory)

    def _put_out(self, x: Tensor, total: Tensor) -> Tensor:
        if self.output_gate is None:
            # A copy: the trunk may modify its feature in-place.
            return x + total if self.identity_init else total.clone()
        out = self.output_gate(total).to(x.dtype)
        return x + out if self.identity_init else out

    def fuse(self) -> None:
        """Fold all norms for good, for inference.

        The gates' norms are folded into their convolutions, and the output
        gate becomes a scale and a shift, so that no pass has to fold them
        again. The unit then uses the running moments in training, too. Fusing
        it a second time changes nothing.

        Raises:
            ValueError: The unit is not made of convolution, batch norm and
                ReLU, or a part of it has a hook.

        Example:
            >>> unit, x = LFMU(3, 8).eval(), torch.rand(1, 8, 4, 4)
            >>> image = torch.rand(1, 3, 4, 4)
            >>> expected, _ = unit(x, image, image)
            >>> unit.fuse()
            >>> torch.allclose(unit(x, image, image)[0], expected, atol=1e-6)
            True
        """
        check_foldable(self)
        norm = self.output_gate
        if norm is None or isinstance(norm, Affine):
            return
        fuse_conv_bn(self)
        self.output_gate = Affine(norm)


def _recorded_once(unit: LFMU) -> AbstractContextManager[None]:
    """Update running statistics in the forward pass only.

    A unit that is recomputed in the backward pass, alone or with the backbone
    around it, has counted this batch already.
    """
    if unit.training and in_backward_pass():
        return buffers_kept(unit)
    return nullcontext()


def _run_recorded_once(
    form: kernels.Form,
    unit: LFMU,
    x: Tensor,
    memory: Tensor,
    image: Tensor | None,
) -> tuple[Tensor, Tensor]:
    with _recorded_once(unit):
        return form(unit, x, memory, image)
