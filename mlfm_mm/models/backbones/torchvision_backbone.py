"""Networks of torchvision by their names, as backbones."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torchvision import models

from ...registry import MODELS
from ..taps.dry_run import without_data

# Where a classifier begins.
HEADS = (nn.AdaptiveAvgPool2d, nn.Linear, nn.Dropout)
HEAD_NAMES = ('aux', 'AuxLogits', 'classifier', 'heads')


@MODELS.register_module()
class TorchvisionBackbone(BaseModule):
    """A convolutional network of torchvision, without its classifier.

    Parameters keep torchvision's names, so that its checkpoints load, by
    ``weights`` or by ``init_cfg``.

    Args:
        model_name (str): Of ``torchvision.models.get_model``.
        weights (str, optional): Pretrained weights, such as ``'DEFAULT'``.
            Defaults to None.
        init_cfg (dict | list[dict], optional): Initialization config.
            Defaults to None.
        **options: Of the network.

    Raises:
        ValueError: The parts of the network do not follow one another up to
            a feature map, as those of a transformer or of a detector.

    Example:
        >>> net = TorchvisionBackbone('resnet18')
        >>> net(torch.rand(1, 3, 64, 64))[0].shape
        torch.Size([1, 512, 2, 2])
    """

    def __init__(
        self,
        model_name: str,
        weights: str | None = None,
        init_cfg: dict | list[dict] | None = None,
        **options: object,
    ) -> None:
        super().__init__(init_cfg)
        whole = models.get_model(model_name, weights=weights, **options)
        for name, part in whole.named_children():
            if isinstance(part, HEADS) or name.startswith(HEAD_NAMES):
                continue
            self.add_module(name, part)
        if isinstance(whole, models.DenseNet):  # it calls F.relu
            self.relu = nn.ReLU(inplace=True)
        # With weights, GoogLeNet and Inception normalize images anew.
        self.transform_input = getattr(whole, 'transform_input', False)
        self._check(model_name)

    def _check(self, model_name: str) -> None:
        image = torch.zeros(1, 3, 256, 256, device='meta')
        try:
            (out,) = without_data(self)(image)
            _, _, height, width = out.shape
            assert height == width, f'maps of shape {tuple(out.shape)}'
        except Exception as error:  # whatever a part may raise
            raise ValueError(
                f'{model_name} of torchvision cannot serve as a backbone: '
                'its parts, one after another, give no feature map '
                f'(N, C, H, W) ({type(error).__name__}: {error})'
            ) from error

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Compute the last feature map.

        Args:
            x (Tensor): Images of shape (N, 3, H, W).

        Returns:
            tuple[Tensor]: The map, of shape (N, C, H', W').
        """
        # Inception's is the same; where the flag is not set, it does nothing.
        x = models.GoogLeNet._transform_input(self, x)
        for part in self.children():
            x = part(x)
        return (x,)
