"""RegNetY: RegNetX with a gate in each block."""

from __future__ import annotations

from mmpretrain.models import RegNet
from mmpretrain.models.backbones.resnet import ResLayer
from mmpretrain.models.backbones.resnext import Bottleneck
from mmpretrain.models.utils import SELayer
from torch import Tensor, nn

from ...registry import MODELS
from .gated_block import GatedBlock


class RegNetYBlock(GatedBlock, Bottleneck):
    """Bottleneck with squeeze and excitation after its grouped convolution.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        se_ratio (float): Channels of the gate's hidden layer over those of
            the *input*, as RegNetY has it. Defaults to 0.25.
        **kwargs: Of mmpretrain's ResNeXt ``Bottleneck``.

    Example:
        >>> import torch
        >>> block = RegNetYBlock(
        ...     8, 8, expansion=1, base_channels=8, groups=2, width_per_group=4
        ... )
        >>> block(torch.rand(1, 8, 6, 6)).shape
        torch.Size([1, 8, 6, 6])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        se_ratio: float = 0.25,
        **kwargs: object,
    ) -> None:
        super().__init__(in_channels, out_channels, **kwargs)
        self.se_layer = SELayer(
            self.mid_channels,
            squeeze_channels=round(se_ratio * in_channels),
        )

    def residual(self, x: Tensor) -> Tensor:
        """Convolve and gate a feature."""
        out = self.relu(self.norm1(self.conv1(x)))
        out = self.se_layer(self.relu(self.norm2(self.conv2(out))))
        return self.norm3(self.conv3(out))


@MODELS.register_module()
class RegNetY(RegNet):
    """RegNetY (https://arxiv.org/abs/2003.13678).

    Args:
        arch (str | dict): One of ``'regnety_200mf'``, ``'regnety_400mf'``,
            ``'regnety_600mf'``, ``'regnety_800mf'``, or RegNet's parameters.
        **kwargs: Of ``mmpretrain.RegNet``.

    Example:
        >>> import torch
        >>> net = RegNetY('regnety_200mf')
        >>> net(torch.rand(1, 3, 64, 64))[0].shape
        torch.Size([1, 368, 2, 2])
        >>> round(sum(p.numel() for p in net.parameters()) / 1e6, 4)
        2.794
    """

    arch_settings = {
        'regnety_200mf': dict(
            w0=24, wa=36.44, wm=2.49, group_w=8, depth=13, bot_mul=1.0
        ),
        'regnety_400mf': dict(
            w0=48, wa=27.89, wm=2.09, group_w=8, depth=16, bot_mul=1.0
        ),
        'regnety_600mf': dict(
            w0=48, wa=32.54, wm=2.32, group_w=16, depth=15, bot_mul=1.0
        ),
        'regnety_800mf': dict(
            w0=56, wa=38.84, wm=2.4, group_w=16, depth=14, bot_mul=1.0
        ),
    }

    def make_res_layer(self, **kwargs: object) -> nn.Module:
        """Build a stage of gated blocks."""
        # RegNet names its block itself, so it is exchanged here.
        return ResLayer(**{**kwargs, 'block': RegNetYBlock})
