"""SE-ResNet of basic blocks."""

from __future__ import annotations

from mmpretrain.models import SEResNet
from mmpretrain.models.backbones.resnet import BasicBlock
from mmpretrain.models.utils import SELayer
from torch import Tensor

from ...registry import MODELS
from .gated_block import GatedBlock


class SEBasicBlock(GatedBlock, BasicBlock):
    """ResNet's basic block whose residual is gated channel by channel.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        se_ratio (int): Channels over channels of the gate's hidden layer.
            Defaults to 16.
        **kwargs: Of mmpretrain's ``BasicBlock``.

    Example:
        >>> import torch
        >>> SEBasicBlock(8, 8, se_ratio=4)(torch.rand(1, 8, 6, 6)).shape
        torch.Size([1, 8, 6, 6])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        se_ratio: int = 16,
        **kwargs: object,
    ) -> None:
        super().__init__(in_channels, out_channels, **kwargs)
        # Given, because SELayer would round 64 / 16 up to a multiple of 8.
        self.se_layer = SELayer(
            out_channels, squeeze_channels=out_channels // se_ratio
        )

    def residual(self, x: Tensor) -> Tensor:
        """Convolve and gate a feature."""
        out = self.relu(self.norm1(self.conv1(x)))
        return self.se_layer(self.norm2(self.conv2(out)))


@MODELS.register_module()
class ShallowSEResNet(SEResNet):
    """SE-ResNet of 10, 18 or 34 layers (https://arxiv.org/abs/1709.01507).

    mmpretrain has the bottleneck only, from 50 layers on.

    Args:
        depth (int): Layers of the network, from {10, 18, 34, 50, 101, 152}.
        **kwargs: Of ``mmpretrain.SEResNet``.

    Example:
        >>> import torch
        >>> net = ShallowSEResNet(depth=18)
        >>> net(torch.rand(1, 3, 64, 64))[0].shape
        torch.Size([1, 512, 2, 2])
        >>> round(sum(p.numel() for p in net.parameters()) / 1e6, 4)
        11.2656
    """

    arch_settings = {
        10: (SEBasicBlock, (1, 1, 1, 1)),
        18: (SEBasicBlock, (2, 2, 2, 2)),
        34: (SEBasicBlock, (3, 4, 6, 3)),
        **SEResNet.arch_settings,
    }
