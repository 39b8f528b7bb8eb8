"""The image size of a config's network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from ..engine import UsageError
from ..engine.kinds import dicts
from ..registry import bare_name

# Transforms that set the size of an image, and their key for it.
SIZES = {
    'CenterCrop': 'crop_size',
    'EfficientNetCenterCrop': 'crop_size',
    'Resize': 'scale',
    'RandomCrop': 'crop_size',
    'TopdownAffine': 'input_size',
}
# Those whose sizes are (w, h): mmcv's, which the hosts share, and mmpose's.
WIDTH_FIRST = ('CenterCrop', 'Resize', 'TopdownAffine')


def image_size(cfg: Config) -> tuple[int, int]:
    """Find the size of the images that a network is made for.

    Args:
        cfg (Config): The config.

    Returns:
        tuple[int, int]: Height and width: for classifiers from the test
        pipeline, for segmentors, whose test images differ in size, from the
        training pipeline; from the other pipeline if that one sets none.

    Raises:
        UsageError: Neither sets a size.

    Example:
        >>> crop = dict(type='CenterCrop', crop_size=224)
        >>> loader = dict(dataset=dict(pipeline=[crop]))
        >>> image_size(Config(dict(test_dataloader=loader)))
        (224, 224)
    """
    segments = cfg.get('default_scope') == 'mmseg'
    loaders = ['test_dataloader', 'train_dataloader']
    for loader in reversed(loaders) if segments else loaders:
        for name, size in _sizes(cfg.get(loader)):
            if isinstance(size, int):
                return size, size
            first, second = size
            turned = name in WIDTH_FIRST
            return (second, first) if turned else (first, second)
    raise UsageError(
        f'{cfg.filename} sets no image size: its pipelines have none of '
        f'{", ".join(SIZES)}.'
    )


def input_size(cfg: Config) -> tuple[int, int]:
    """Round :func:`image_size` up to what the preprocessor pads images to.

    Args:
        cfg (Config): The config.

    Returns:
        tuple[int, int]: Height and width of the network's input.
    """
    preprocessor = cfg.model.get('data_preprocessor') or {}
    divisors = map(preprocessor.get, ('size_divisor', 'pad_size_divisor'))
    divisor = next(filter(None, divisors), 1)
    height, width = (-(-n // divisor) * divisor for n in image_size(cfg))
    return height, width


def _sizes(loader: dict[str, Any] | None) -> Iterator[tuple[str, Any]]:
    """Yield the transforms that set a loader's image size, last first."""
    datasets = dicts((loader or {}).get('dataset'))
    pipelines = (d['pipeline'] for d in datasets if 'pipeline' in d)
    for transform in reversed(next(pipelines, [])):
        name = bare_name(transform)
        size = transform.get(SIZES.get(name, ''))
        if size is not None:
            yield name, size
