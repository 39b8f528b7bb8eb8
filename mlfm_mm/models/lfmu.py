"""The Low-Frequency Memory Unit: the gates between memory and trunk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from mmcv.cnn import ConvModule, build_norm_layer
from mmengine.model import BaseModule, constant_init
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..registry import MODELS
from .folded import Affine, FoldedGate
from .lean_inference import HandOn, infer_unit
from .lean_unit import is_foldable, is_inferring, is_lean, run_lean
from .recall import Recall
from .tracing import traced

UPDATES = ('add', 'concat')


@MODELS.register_module()
class LFMU(BaseModule):
    r"""Low-Frequency Memory Unit (https://arxiv.org/abs/2403.08157).

    .. code:: text

        memory m ── input gate ───────┐
                                      + ── l
        image I_k ─ supplement gate ──┘    │
                                           ├── update gate ── memory m'
        feature x ─────────────────────────┤
                                           └── output gate ── feature x'

    With ``l`` the sum of the two gates' ReLU(Norm(Conv(.))), the update is
    ``m' = x + l`` (``'add'``) or ``m' = cat(x, l)`` (``'concat'``), and the
    output is ``x' = Norm(x + l)`` with no activation. The forget gate, the
    low-pass between two units, belongs to :class:`MLFMNeck`, which knows how
    the trunk's resolution changes.

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
        init_cfg (dict | list[dict], optional): Initialization config.
            Defaults to None.

    Raises:
        ValueError: ``update`` is unknown, or ``identity_init`` is asked of a
            norm that has no weight to start at zero.

    Example:
        >>> import torch
        >>> from mlfm_mm import LFMU
        >>> unit = LFMU(memory_channels=3, channels=16)
        >>> x, image = torch.rand(2, 16, 8, 8), torch.rand(2, 3, 8, 8)
        >>> x_out, memory_out = unit(x, image, image)
        >>> x_out.shape, memory_out.shape
        (torch.Size([2, 16, 8, 8]), torch.Size([2, 16, 8, 8]))
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
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        if update not in UPDATES:
            raise ValueError(
                f'update={update!r} is unknown; choose one of {UPDATES}.'
            )
        self.channels = channels
        self.norm_cfg = norm_cfg
        self.update = update
        self.identity_init = identity_init
        self.with_cp = with_cp
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
            # It has initialized itself; to do so again, when the model is
            # initialized, would overrule any `init_cfg` above it.
            gate.is_init = True
        self.output_gate = _output_norm(norm_cfg, channels)
        if identity_init:
            self._silence()

    @property
    def memory_channels_out(self) -> int:
        """int: Channels of the memory that leaves the unit."""
        return self.channels * (2 if self.update == 'concat' else 1)

    def init_weights(self) -> None:
        """Initialize as configured, then start as the identity if asked."""
        super().init_weights()
        cfg = self.init_cfg
        pretrained = isinstance(cfg, dict) and cfg['type'] == 'Pretrained'
        if self.identity_init and not pretrained:
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

    def fuse(self) -> None:
        """Fold all norms for good, for inference.

        The gates' norms go into their convolutions, and of the output gate
        a scale and a shift are left, so that nothing has to be folded or
        looked at in each pass. The unit then goes by the running moments in
        training, too. A unit that has been fused stays as it is.

        Raises:
            ValueError: The unit is not made of convolution, batch norm and
                ReLU, or a hook listens to a part of it.

        Example:
            >>> unit, x = LFMU(3, 8).eval(), torch.rand(1, 8, 4, 4)
            >>> image = torch.rand(1, 3, 4, 4)
            >>> expected, _ = unit(x, image, image)
            >>> unit.fuse()
            >>> torch.allclose(unit(x, image, image)[0], expected, atol=1e-6)
            True
        """
        if isinstance(self.output_gate, Affine):
            return
        norm = self.output_gate
        if norm is None or not is_foldable(self):
            raise ValueError(
                'This LFMU cannot be fused: it must be made of convolution, '
                'batch norm with running moments and ReLU, with no hook on '
                f'any of them, and has norm_cfg={self.norm_cfg} and\n{self}\n'
                'Remove the hooks, or leave the unit as it is; '
                '`mmcv.cnn.fuse_conv_bn` folds the norms of its gates.'
            )
        self.input_gate = FoldedGate(self.input_gate)
        if self.supplement_gate is not None:
            self.supplement_gate = FoldedGate(self.supplement_gate)
        self.output_gate = Affine(norm)

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        image: Tensor,
        recall: Recall | None = None,
        hand_on: HandOn | None = None,
        in_place: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Hand the memory to the trunk and renew it.

        Args:
            x (Tensor): Trunk feature of shape (N, C, H, W).
            memory (Tensor): Memory of shape (N, M, H, W).
            image (Tensor): Low band of the image, (N, image_channels, H, W).
                Not read when the unit has no supplement gate.
            recall (Recall, optional): How memory and image can be computed
                again; with ``with_cp`` they need not be kept then. Defaults
                to None.
            hand_on (Callable[[Tensor], Tensor], optional): What becomes of
                the new memory, such as a low-pass. In inference a unit that
                has handed it on uses its map again. Defaults to None.
            in_place (bool): Whether, in inference, the new feature may be
                written over ``x``. Defaults to False.

        Returns:
            tuple[Tensor, Tensor]: The feature that replaces ``x``, of shape
            (N, C, H, W), and the memory for the next unit, of shape
            (N, C, H, W), or (N, 2C, H, W) for ``update='concat'``, before
            it is handed on.
        """
        if not traced() and is_lean(self, x):
            if is_inferring(self):
                inputs = x, memory, image
                return infer_unit(self, *inputs, hand_on, in_place)
            record = not _in_backward_pass()
            return run_lean(self, x, memory, image, record, recall, hand_on)
        if self.with_cp and self.training and torch.is_grad_enabled():
            x, memory = checkpoint(
                self._gates, x, memory, image, use_reentrant=False
            )
        else:
            x, memory = self._gates(x, memory, image)
        return x, memory if hand_on is None else hand_on(memory)

    def _gates(
        self, x: Tensor, memory: Tensor, image: Tensor
    ) -> tuple[Tensor, Tensor]:
        with self._recorded_once():
            return self._run_gates(x, memory, image)

    def _run_gates(
        self, x: Tensor, memory: Tensor, image: Tensor
    ) -> tuple[Tensor, Tensor]:
        low = self.input_gate(memory)
        if self.supplement_gate is not None:
            low = low + self.supplement_gate(image)
        # Under autocast the gates may come in another precision; the trunk
        # keeps its own.
        low = low.to(x.dtype)
        total = x + low
        if self.output_gate is None:
            # A copy, since the trunk may work on its feature in place.
            x_out = total.clone()
        elif self.identity_init:
            x_out = x + self.output_gate(low).to(x.dtype)
        else:
            x_out = self.output_gate(total).to(x.dtype)
        if self.update == 'concat':
            return x_out, torch.cat((x, low), dim=1)
        return x_out, total

    def _recorded_once(self) -> AbstractContextManager[None]:
        """Record a batch's statistics in the forward pass only.

        Whatever is recomputed in the backward pass, the unit or the whole
        backbone around it, has been recorded before.
        """
        if self.training and _in_backward_pass():
            return _buffers_kept(self)
        return nullcontext()


def _output_norm(norm_cfg: dict | None, channels: int) -> nn.Module | None:
    if norm_cfg is None:
        return None
    return build_norm_layer(norm_cfg, channels)[1]


def _in_backward_pass() -> bool:
    # A compiler recomputes by itself, without calling modules again.
    if torch.compiler.is_compiling():
        return False
    return torch._C._current_graph_task_id() != -1


@contextmanager
def _buffers_kept(module: nn.Module) -> Iterator[None]:
    """Let norms record their running statistics where nobody reads them."""
    kept = [(m, dict(m._buffers)) for m in module.modules() if m._buffers]
    for m, buffers in kept:
        m._buffers.update(
            {k: b.clone() for k, b in buffers.items() if b is not None}
        )
    try:
        yield
    finally:
        for m, buffers in kept:
            m._buffers.update(buffers)
