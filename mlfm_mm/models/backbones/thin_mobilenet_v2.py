"""MobileNetV2 whose widths may be multiples of four."""

from __future__ import annotations

from mmcv.cnn import ConvModule
from mmpretrain.models import MobileNetV2
from mmpretrain.models.utils import make_divisible

from ...registry import MODELS


@MODELS.register_module()
class ThinMobileNetV2(MobileNetV2):
    """MobileNetV2 with a free divisor of its widths.

    mmpretrain rounds every width to a multiple of 8, which leaves nothing to
    scale at a tenth of the usual width; MLFM's smallest network rounds to
    multiples of 4 (https://arxiv.org/abs/2403.08157, table of MobileNetV2).

    Args:
        widen_factor (float): Factor on every width but the last. Defaults
            to 0.1.
        divisor (int): What widths are rounded to a multiple of. Defaults
            to 4.
        **kwargs: Of ``mmpretrain.MobileNetV2``.

    Example:
        >>> import torch
        >>> net = ThinMobileNetV2(widen_factor=0.1, divisor=4)
        >>> net(torch.rand(1, 3, 64, 64))[0].shape
        torch.Size([1, 1280, 2, 2])
        >>> round(sum(p.numel() for p in net.parameters()) / 1e6, 4)
        0.0757
    """

    def __init__(
        self, widen_factor: float = 0.1, divisor: int = 4, **kwargs: object
    ) -> None:
        super().__init__(widen_factor=widen_factor, **kwargs)
        # The parent has no option for the divisor, so its layers are made
        # anew by its own method; they keep their names and their order.
        self.in_channels = make_divisible(32 * widen_factor, divisor)
        self.conv1 = self._conv(3, self.in_channels, 3, stride=2, padding=1)
        for i, (expand_ratio, channels, blocks, stride) in enumerate(
            self.arch_settings, start=1
        ):
            layer = self.make_layer(
                out_channels=make_divisible(channels * widen_factor, divisor),
                num_blocks=blocks,
                stride=stride,
                expand_ratio=expand_ratio,
            )
            setattr(self, f'layer{i}', layer)
        self.conv2 = self._conv(self.in_channels, self.out_channel, 1)

    def _conv(self, *args: object, **kwargs: object) -> ConvModule:
        return ConvModule(
            *args,
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
            act_cfg=self.act_cfg,
            **kwargs,
        )
