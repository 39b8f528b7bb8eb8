"""ResNet with one block a stage."""

from __future__ import annotations

from mmpretrain.models import ResNet
from mmpretrain.models.backbones.resnet import BasicBlock

from ...registry import MODELS


@MODELS.register_module()
class ShallowResNet(ResNet):
    """ResNet that also comes with ten layers.

    mmpretrain's smallest has 18 layers; MLFM's table begins with 10
    (https://arxiv.org/abs/2403.08157). Names of parameters are ResNet's.

    Args:
        depth (int): Layers of the network, from {10, 18, 34, 50, 101, 152}.
        **kwargs: Of ``mmpretrain.ResNet``.

    Example:
        >>> import torch
        >>> net = ShallowResNet(depth=10)
        >>> net(torch.rand(1, 3, 64, 64))[0].shape
        torch.Size([1, 512, 2, 2])
        >>> round(sum(p.numel() for p in net.parameters()) / 1e6, 4)
        4.9058
    """

    arch_settings = {
        10: (BasicBlock, (1, 1, 1, 1)),
        **ResNet.arch_settings,
    }
