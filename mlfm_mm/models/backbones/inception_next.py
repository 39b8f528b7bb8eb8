"""InceptionNeXt: ConvNeXt with a decomposed depthwise convolution."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmcv.cnn.bricks import DropPath
from mmengine.model import BaseModule, ModuleList, Sequential
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from torch import Tensor, nn

from ...registry import MODELS

WEIGHTS = dict(
    type='TruncNormal', layer=['Conv2d', 'Linear'], std=0.02, bias=0.0
)


class InceptionDepthwise(nn.Module):
    """Depthwise convolutions of a square, a row and a column.

    The last channels are convolved, an eighth by each kernel; the first
    ones pass through.

    Args:
        channels (int): Channels C of the feature.
        square (int): Size of the square kernel. Defaults to 3.
        band (int): Length of the row and of the column. Defaults to 11.

    Example:
        >>> x = torch.rand(1, 16, 5, 5)
        >>> out = InceptionDepthwise(16)(x)
        >>> out.shape, torch.equal(out[:, :10], x[:, :10])
        (torch.Size([1, 16, 5, 5]), True)
    """

    def __init__(self, channels: int, square: int = 3, band: int = 11) -> None:
        super().__init__()
        part = channels // 8
        self.splits = [channels - 3 * part, part, part, part]
        self.square = self._conv(part, (square, square))
        self.row = self._conv(part, (1, band))
        self.column = self._conv(part, (band, 1))

    @staticmethod
    def _conv(channels: int, size: tuple[int, int]) -> nn.Conv2d:
        padding = (size[0] // 2, size[1] // 2)
        return nn.Conv2d(
            channels, channels, size, padding=padding, groups=channels
        )

    def forward(self, x: Tensor) -> Tensor:
        """Mix a feature (N, C, H, W) in space."""
        kept, square, row, column = x.split(self.splits, dim=1)
        convolved = self.square(square), self.row(row), self.column(column)
        return torch.cat((kept, *convolved), dim=1)


class InceptionNeXtBlock(BaseModule):
    """Residual block: mix in space, norm, mix the channels, scale.

    Args:
        channels (int): Channels C of the feature.
        mlp_ratio (int): Hidden channels over C. Defaults to 4.
        drop_path_rate (float): Probability to skip the block in training.
            Defaults to 0.
        layer_scale_init_value (float): Scale of the residual at the start.
            Defaults to 1e-6.

    Example:
        >>> InceptionNeXtBlock(16)(torch.rand(1, 16, 5, 5)).shape
        torch.Size([1, 16, 5, 5])
    """

    def __init__(
        self,
        channels: int,
        mlp_ratio: int = 4,
        drop_path_rate: float = 0.0,
        layer_scale_init_value: float = 1e-6,
    ) -> None:
        super().__init__()
        self.token_mixer = InceptionDepthwise(channels)
        self.norm = nn.BatchNorm2d(channels)
        self.fc1 = nn.Conv2d(channels, mlp_ratio * channels, 1)
        self.act = nn.GELU()
        self.fc2 = nn.Conv2d(mlp_ratio * channels, channels, 1)
        self.gamma = nn.Parameter(
            torch.full((channels,), float(layer_scale_init_value))
        )
        self.drop_path = DropPath(drop_path_rate)

    def forward(self, x: Tensor) -> Tensor:
        """Transform a feature (N, C, H, W)."""
        out = self.norm(self.token_mixer(x))
        out = self.fc2(self.act(self.fc1(out)))
        return x + self.drop_path(out * self.gamma.view(1, -1, 1, 1))


@MODELS.register_module()
class InceptionNeXt(BaseBackbone):
    """InceptionNeXt (https://arxiv.org/abs/2303.16900).

    MLFM's table (https://arxiv.org/abs/2403.08157) does not say which size
    it is about; the smallest is the default.

    Args:
        arch (str): ``'tiny'`` or ``'small'``. Defaults to ``'tiny'``.
        in_channels (int): Channels of the image. Defaults to 3.
        drop_path_rate (float): Probability to skip the last block in
            training; that of the others rises to it linearly. Defaults to 0.
        layer_scale_init_value (float): Scale of the residuals at the start.
            Defaults to 1e-6.
        out_indices (int | Sequence[int]): Stages to return; negative ones
            count from the last. Defaults to ``(3, )``.
        init_cfg (dict | list[dict], optional): Initialization config.
            Defaults to the published one.

    Raises:
        ValueError: ``arch`` is unknown.

    Example:
        >>> net = InceptionNeXt('tiny')
        >>> net(torch.rand(1, 3, 64, 64))[0].shape
        torch.Size([1, 768, 2, 2])
    """

    arch_settings = {
        'tiny': ((3, 3, 9, 3), (96, 192, 384, 768)),
        'small': ((3, 3, 27, 3), (96, 192, 384, 768)),
    }
    # Hidden channels over channels in the blocks of each stage.
    mlp_ratios = (4, 4, 4, 3)

    def __init__(
        self,
        arch: str = 'tiny',
        in_channels: int = 3,
        drop_path_rate: float = 0.0,
        layer_scale_init_value: float = 1e-6,
        out_indices: int | Sequence[int] = (3,),
        init_cfg: dict | list[dict] | None = WEIGHTS,
    ) -> None:
        super().__init__(init_cfg)
        if arch not in self.arch_settings:
            raise ValueError(
                f'arch={arch!r} is unknown; choose one of '
                f'{tuple(self.arch_settings)}.'
            )
        depths, widths = self.arch_settings[arch]
        self.out_indices = _stages(out_indices, len(depths))
        self.stem = Sequential(
            nn.Conv2d(in_channels, widths[0], 4, stride=4),
            nn.BatchNorm2d(widths[0]),
        )
        rates = torch.linspace(0, drop_path_rate, sum(depths)).tolist()
        self.stages = ModuleList()
        last = widths[0]
        for depth, width, ratio in zip(
            depths, widths, self.mlp_ratios, strict=True
        ):
            blocks = [
                InceptionNeXtBlock(
                    width, ratio, rates.pop(0), layer_scale_init_value
                )
                for _ in range(depth)
            ]
            self.stages.append(Sequential(*_reduction(last, width), *blocks))
            last = width

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Extract features.

        Args:
            x (Tensor): Image of shape (N, in_channels, H, W).

        Returns:
            tuple[Tensor, ...]: A feature (N, C, H / r, W / r) for each of
            ``out_indices``, where r is 4, 8, 16 or 32.
        """
        x = self.stem(x)
        outs = []
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i in self.out_indices:
                outs.append(x)
        return tuple(outs)


def _stages(indices: int | Sequence[int], count: int) -> list[int]:
    """Count stages from the front, refusing those that there are not."""
    indices = [indices] if isinstance(indices, int) else indices
    wrong = [i for i in indices if not -count <= i < count]
    if wrong:
        raise ValueError(
            f'out_indices={indices}: there is no stage {wrong[0]}, only 0 to '
            f'{count - 1}.'
        )
    return [i % count for i in indices]


def _reduction(channels: int, width: int) -> list[nn.Module]:
    """Halve the resolution, except in front of the first stage."""
    if channels == width:
        return []
    return [
        nn.BatchNorm2d(channels),
        nn.Conv2d(channels, width, 2, stride=2),
    ]
