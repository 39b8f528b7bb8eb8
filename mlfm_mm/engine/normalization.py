"""What a preprocessor does to pixels, and how to undo it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn


@dataclass(frozen=True)
class Normalization:
    """How pixels from 0 to 255 become what a network reads.

    Args:
        mean (tuple[float, ...]): What is subtracted, by channel.
        std (tuple[float, ...]): What the difference is divided by.
        order (str): The order of the channels, ``'RGB'`` or ``'BGR'``.

    Example:
        >>> import torch
        >>> halves = Normalization((127.5,) * 3, (255.0,) * 3, 'RGB')
        >>> halves.picture(torch.zeros(3, 1, 1))
        array([[[128, 128, 128]]], dtype=uint8)
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    order: str

    def picture(self, x: Tensor) -> np.ndarray:
        """Turn an input back into a picture.

        Args:
            x (Tensor): What the network reads, (C, H, W), of one channel,
                three, or more, of which the first three are shown.

        Returns:
            np.ndarray: RGB of shape (H, W, 3).
        """
        pixels = x.detach().cpu().float()
        mean, std = (pixels.new_tensor(v) for v in (self.mean, self.std))
        pixels = pixels * std.view(-1, 1, 1) + mean.view(-1, 1, 1)
        pixels = pixels[:3] if len(pixels) >= 3 else pixels[:1].repeat(3, 1, 1)
        if self.order == 'BGR':
            pixels = pixels.flip(0)
        whole = pixels.round().clamp(0, 255).permute(1, 2, 0)
        return whole.numpy().astype(np.uint8)


def normalization_of(preprocessor: nn.Module) -> Normalization:
    """Read a preprocessor of a host.

    Args:
        preprocessor (nn.Module): The model's ``data_preprocessor``.

    Returns:
        Normalization: What it does; pixels stay as they are where it does
        not normalize.

    Example:
        >>> from mmengine.model import ImgDataPreprocessor
        >>> imagenet = ImgDataPreprocessor([124.0], [58.0], bgr_to_rgb=True)
        >>> normalization_of(imagenet)
        Normalization(mean=(124.0,), std=(58.0,), order='RGB')
    """
    mean, std = (0.0,), (1.0,)
    if getattr(preprocessor, '_enable_normalize', False):
        values = (
            preprocessor.get_buffer('mean'),
            preprocessor.get_buffer('std'),
        )
        mean, std = (tuple(value.flatten().tolist()) for value in values)
    # mmpretrain's own name, and MMEngine's.
    turns = getattr(preprocessor, 'to_rgb', False)
    turns = turns or getattr(preprocessor, '_channel_conversion', False)
    return Normalization(mean, std, 'RGB' if turns else 'BGR')
