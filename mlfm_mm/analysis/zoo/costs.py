"""What a config costs: parameters and multiply-adds, without computing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

# The transforms that set the size of an image, and the key that tells it.
SIZES = {
    'CenterCrop': 'crop_size',
    'EfficientNetCenterCrop': 'crop_size',
    'Resize': 'scale',
    'RandomCrop': 'crop_size',
}


@dataclass(frozen=True)
class Cost:
    """The size of a network.

    Args:
        params (int): Number of parameters, the classifier's included.
        macs (int): Multiply-adds of convolutions and linear layers for one
            image, the convention of the published figures. Heads that only
            help to train have parameters, but no multiply-adds.
        size (tuple[int, int]): Height and width of that image.

    Example:
        >>> Cost(1000, 2000, (256, 256)).pixels
        '256'
        >>> Cost(1000, 2000, (512, 1024)).pixels
        '512x1024'
    """

    params: int
    macs: int
    size: tuple[int, int]

    @property
    def pixels(self) -> str:
        """str: The size of the image, for people."""
        height, width = self.size
        return str(height) if height == width else f'{height}x{width}'


def measure_cost(cfg: Config) -> Cost:
    """Build the network of a config and count.

    Args:
        cfg (Config): The config.

    Returns:
        Cost: Its figures, at the size of :func:`image_size`.

    Example:
        >>> backbone = dict(type='MobileNetV2', widen_factor=0.35)
        >>> head = dict(
        ...     type='LinearClsHead', num_classes=100, in_channels=1280
        ... )
        >>> neck = dict(type='GlobalAveragePooling')
        >>> cfg = dict(
        ...     default_scope='mmpretrain',
        ...     model=dict(
        ...         type='ImageClassifier',
        ...         backbone=backbone,
        ...         neck=neck,
        ...         head=head,
        ...     ),
        ...     test_dataloader=dict(
        ...         dataset=dict(
        ...             pipeline=[dict(type='CenterCrop', crop_size=256)]
        ...         )
        ...     ),
        ... )
        >>> measure_cost(Config(cfg))
        Cost(params=524228, macs=75890688, size=(256, 256))
    """
    size = padded(image_size(cfg), cfg)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
    params = sum(p.numel() for p in model.parameters())
    return Cost(params, count_macs(model, size), size)


def image_size(cfg: Config) -> tuple[int, int]:
    """Find the size of the images that a network is made for.

    Args:
        cfg (Config): The config.

    Returns:
        tuple[int, int]: Height and width: of classifiers from the validation
        pipeline, of segmentors, whose images differ in size there, from the
        training pipeline; from the other one where that sets none.

    Raises:
        ValueError: Neither sets a size.
    """
    loaders = ['test_dataloader', 'train_dataloader']
    if cfg.default_scope == 'mmseg':
        loaders.reverse()
    for loader in loaders:
        for transform in reversed(pipeline(cfg.get(loader))):
            key = SIZES.get(transform['type'])
            if key is None or transform.get(key) is None:
                continue
            size = transform[key]
            if isinstance(size, int):
                return size, size
            # Segmentors resize by mmcv, which gives the width first.
            if key == 'scale' and cfg.default_scope == 'mmseg':
                return size[1], size[0]
            return size[0], size[1]
    raise ValueError(
        f'{cfg.filename} sets no image size: its pipelines have none of '
        f'{", ".join(SIZES)}.'
    )


def padded(size: tuple[int, int], cfg: Config) -> tuple[int, int]:
    """Enlarge a size to what the preprocessor pads images to.

    Args:
        size (tuple[int, int]): Height and width.
        cfg (Config): The config.

    Returns:
        tuple[int, int]: The size that reaches the network.

    Example:
        >>> preprocessor = dict(type='SegDataPreProcessor', size_divisor=16)
        >>> cfg = Config(dict(model=dict(data_preprocessor=preprocessor)))
        >>> padded((360, 480), cfg)
        (368, 480)
    """
    preprocessor = cfg.model.get('data_preprocessor') or {}
    divisor = preprocessor.get('size_divisor') or 1
    return -(-size[0] // divisor) * divisor, -(-size[1] // divisor) * divisor


def pipeline(loader: dict[str, Any] | None) -> list[dict]:
    """Get the transforms of a data loader, inside wrappers too."""
    dataset = (loader or {}).get('dataset', {})
    while 'pipeline' not in dataset:
        if 'dataset' in dataset:
            dataset = dataset['dataset']
        elif 'datasets' in dataset:
            dataset = dataset['datasets'][0]
        else:
            break
    return list(dataset.get('pipeline', []))


def count_macs(model: nn.Module, size: tuple[int, int]) -> int:
    """Count multiply-adds by a pass of tensors that hold no numbers.

    Args:
        model (nn.Module): The network; its tensors are gone afterwards.
        size (tuple[int, int]): Height and width of the image.

    Returns:
        int: The multiply-adds of convolutions and linear layers.
    """
    model.to('meta')
    model.train(False)
    counts: list[int] = []

    def count(layer: Any, inputs: tuple, output: Tensor) -> None:
        # A transposed convolution spreads its input, others gather theirs.
        spreads = isinstance(layer, _ConvTransposeNd)
        places = inputs[0].numel() if spreads else output.numel()
        counts.append(places * layer.weight[0].numel())

    for layer in layers(model):
        layer.register_forward_hook(count)
    with torch.no_grad():
        model(torch.empty(1, 3, *size, device='meta'))
    return sum(counts)


def layers(model: nn.Module) -> Iterator[nn.Module]:
    """Go through the layers that multiply."""
    for module in model.modules():
        if isinstance(module, (_ConvNd, nn.Linear)):
            yield module
