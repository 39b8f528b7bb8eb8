"""What a config costs: parameters and multiply-adds, without computing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from ..complexity import measure_complexity
from ..models import build_model

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
    complexity = measure_complexity(build_model(cfg), size)
    return Cost(complexity.params, complexity.macs, size)


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
