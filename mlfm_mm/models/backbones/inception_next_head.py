"""The head that belongs to InceptionNeXt."""

from __future__ import annotations

from mmpretrain.models import LinearClsHead
from torch import Tensor, nn

from ...registry import MODELS


@MODELS.register_module()
class InceptionNeXtHead(LinearClsHead):
    """Classifier with a hidden layer (https://arxiv.org/abs/2303.16900).

    The channels that InceptionNeXt saves in its last stage are spent here.

    Args:
        num_classes (int): Number of classes.
        in_channels (int): Channels of the pooled feature.
        mlp_ratio (int): Channels of the hidden layer over ``in_channels``.
            Defaults to 3.
        **kwargs: Of ``mmpretrain.LinearClsHead``.

    Example:
        >>> import torch
        >>> head = InceptionNeXtHead(num_classes=10, in_channels=8)
        >>> head((torch.rand(2, 8),)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        mlp_ratio: int = 3,
        **kwargs: object,
    ) -> None:
        hidden = mlp_ratio * in_channels
        super().__init__(num_classes, hidden, **kwargs)
        self.hidden = nn.Sequential(
            nn.Linear(in_channels, hidden),
            nn.GELU(),
            nn.LayerNorm(hidden, eps=1e-6),
        )

    def pre_logits(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Pass the last feature (N, in_channels) through the hidden layer."""
        return self.hidden(feats[-1])
