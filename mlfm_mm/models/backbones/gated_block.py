"""The forward pass that residual blocks with a channel gate share."""

from __future__ import annotations

import torch.utils.checkpoint as cp
from torch import Tensor, nn


class GatedBlock:
    """Adds a gated residual; to be mixed into a block of mmpretrain's ResNet.

    The block brings ``relu``, ``drop_path``, ``downsample`` and ``with_cp``.
    """

    relu: nn.Module
    drop_path: nn.Module
    downsample: nn.Module | None
    with_cp: bool

    def residual(self, x: Tensor) -> Tensor:
        """Convolve and gate a feature."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Transform a feature (N, in_channels, H, W)."""
        if self.with_cp and x.requires_grad:
            out = cp.checkpoint(self._sum, x, use_reentrant=False)
        else:
            out = self._sum(x)
        return self.relu(out)

    def _sum(self, x: Tensor) -> Tensor:
        out = self.residual(x)
        identity = x if self.downsample is None else self.downsample(x)
        return self.drop_path(out) + identity
