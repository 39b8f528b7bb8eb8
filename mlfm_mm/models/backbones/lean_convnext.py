"""ConvNeXt with smaller or partial depthwise convolutions."""

from __future__ import annotations

import torch
from mmpretrain.models import ConvNeXt
from mmpretrain.models.backbones.convnext import ConvNeXtBlock
from torch import Tensor, nn

from ...registry import MODELS


class PartialDepthwise(nn.Module):
    """Depthwise convolution of the last channels; the first pass through.

    Args:
        channels (int): Channels C of the feature.
        kernel_size (int): Size of the square kernel, an odd number.
        divisor (int): The last ``C // divisor`` channels are convolved.

    Example:
        >>> x = torch.rand(1, 8, 5, 5)
        >>> out = PartialDepthwise(8, kernel_size=3, divisor=4)(x)
        >>> out.shape, torch.equal(out[:, :6], x[:, :6])
        (torch.Size([1, 8, 5, 5]), True)
    """

    def __init__(self, channels: int, kernel_size: int, divisor: int) -> None:
        super().__init__()
        convolved = channels // divisor
        self.splits = [channels - convolved, convolved]
        self.conv = depthwise(convolved, kernel_size)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve a part of a feature (N, C, H, W)."""
        kept, convolved = x.split(self.splits, dim=1)
        return torch.cat((kept, self.conv(convolved)), dim=1)


def depthwise(channels: int, kernel_size: int) -> nn.Conv2d:
    """Build a depthwise convolution that keeps the size.

    Args:
        channels (int): Channels in and out.
        kernel_size (int): Size of the square kernel, an odd number.

    Returns:
        nn.Conv2d: The convolution.
    """
    return nn.Conv2d(
        channels,
        channels,
        kernel_size,
        padding=kernel_size // 2,
        groups=channels,
    )


@MODELS.register_module()
class LeanConvNeXt(ConvNeXt):
    """ConvNeXt with cheaper depthwise convolutions: K3, K5, partial ones.

    The rows ``ConvNeXt_K*`` of MLFM's table
    (https://arxiv.org/abs/2403.08157): a smaller kernel than ConvNeXt's 7x7
    (https://arxiv.org/abs/2201.03545), or one on a part of the channels only.

    Args:
        arch (str | dict): As of ``mmpretrain.ConvNeXt``. Defaults to
            ``'tiny'``.
        kernel_size (int): Size of the depthwise kernels, an odd number.
            Defaults to 3.
        divisor (int): The last ``C // divisor`` of C channels are convolved,
            the others pass through. Defaults to 1, all are convolved.
        **kwargs: Of ``mmpretrain.ConvNeXt``.

    Raises:
        ValueError: The kernel is even or no size at all, or the divisor is
            not positive, or above the channels of a stage.

    Example:
        >>> net = LeanConvNeXt('tiny', kernel_size=3, divisor=8)
        >>> net(torch.rand(1, 3, 64, 64))[0].shape
        torch.Size([1, 768])
        >>> round(sum(p.numel() for p in net.parameters()) / 1e6, 4)
        27.4972
    """

    def __init__(
        self,
        arch: str | dict = 'tiny',
        kernel_size: int = 3,
        divisor: int = 1,
        **kwargs: object,
    ) -> None:
        if kernel_size < 1 or kernel_size % 2 == 0 or divisor < 1:
            raise ValueError(
                f'kernel_size={kernel_size} must be odd and divisor={divisor} '
                'positive.'
            )
        super().__init__(arch, **kwargs)
        for block in self.modules():
            if isinstance(block, ConvNeXtBlock):
                channels = block.depthwise_conv.in_channels
                if divisor > channels:
                    raise ValueError(
                        f'divisor={divisor} leaves none of {channels} '
                        'channels to convolve.'
                    )
                block.depthwise_conv = (
                    depthwise(channels, kernel_size)
                    if divisor == 1
                    else PartialDepthwise(channels, kernel_size, divisor)
                )
        # The new convolutions may belong to frozen stages.
        self._freeze_stages()
