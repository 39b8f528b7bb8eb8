"""MobileNetV2 for images of 32 to 64 pixels."""

from __future__ import annotations

from mmpretrain.models import MobileNetV2

from ...registry import MODELS


@MODELS.register_module()
class MobileNetV2_CIFAR(MobileNetV2):
    """MobileNetV2 that reduces an image eight times instead of 32.

    The stem and the second group keep the resolution, as is usual for CIFAR
    (https://www.cs.toronto.edu/~kriz/cifar.html); with the usual strides an
    image of 32 pixels would end as a single one. Parameters and their names
    are those of ``mmpretrain.MobileNetV2``.

    Args:
        **kwargs: Of ``mmpretrain.MobileNetV2``.

    Example:
        >>> import torch
        >>> net = MobileNetV2_CIFAR(widen_factor=0.35)
        >>> net(torch.rand(1, 3, 32, 32))[0].shape
        torch.Size([1, 1280, 4, 4])
    """

    # expand ratio, channels, blocks, stride
    arch_settings = [
        [1, 16, 1, 1],
        [6, 24, 2, 1],
        [6, 32, 3, 2],
        [6, 64, 4, 2],
        [6, 96, 3, 1],
        [6, 160, 3, 2],
        [6, 320, 1, 1],
    ]

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.conv1.conv.stride = (1, 1)
