"""Load pictures to analyse a network with: files, or those of its test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, DefaultScope
from torch import Tensor

from ..datasets.images import list_images
from ..engine import UsageError
from ..engine.demo import collate, prepare, read_picture
from ..engine.normalization import normalization_of
from .complexity import dummy, image_channels
from .sizes import input_size
from .trained import Trained


@dataclass(frozen=True)
class Sample:
    """A picture, preprocessed for a network.

    Args:
        name (str): Its name in tables and figures.
        x (Tensor): The network's input, (1, C, H, W).
        picture (np.ndarray): The same for display, RGB (H, W, 3).
    """

    name: str
    x: Tensor
    picture: np.ndarray


def load_samples(
    network: Trained, images: Sequence[str] = (), count: int = 1
) -> list[Sample]:
    """Load and preprocess pictures for a network.

    Args:
        network (Trained): The network, whose test pipeline they pass.
        images (Sequence[str]): Files, and folders of them. Defaults to
            none: those of the network's test set.
        count (int): The most to load, evenly spaced. Defaults to 1.

    Returns:
        list[Sample]: The pictures.

    Raises:
        UsageError: A file is not an image, or none are given and the test
            set cannot be opened.
    """
    if images:
        files = spread_over(find_pictures(images), count)
        for file in files:  # refuses what is no picture, before any work
            read_picture(file)
        cfg, host = network.cfg, network.host
        with DefaultScope.overwrite_default_scope(host.scope):
            return [
                _sample(network, Path(file).name, prepare(cfg, host, file))
                for file in files
            ]
    dataset = open_test_set(network)
    chosen = spread_over(range(len(dataset)), count)
    return [
        _sample(network, f'test {i}', collate([dataset[i]], network.host))
        for i in chosen
    ]


def generate_samples(network: Trained, count: int = 1) -> list[Sample]:
    """Generate pictures without data, of noise.

    Args:
        network (Trained): The network, whose input size they get.
        count (int): How many. Defaults to 1.

    Returns:
        list[Sample]: The pictures, the same at every call.
    """
    channels = image_channels(network.model)
    images = dummy(network.model, count, channels, size_of(network))
    return [
        _shown(network, f'generated {index}', x[None])
        for index, x in enumerate(images)
    ]


def size_of(network: Trained) -> tuple[int, int]:
    """Get the input size of a network's config, 224x224 if it sets none."""
    try:
        return input_size(network.cfg)
    except UsageError:
        return 224, 224


def find_pictures(images: Sequence[str]) -> list[str]:
    """List picture files, and those in folders.

    Args:
        images (Sequence[str]): Files and folders.

    Returns:
        list[str]: The files.

    Raises:
        UsageError: A path does not exist, or a folder holds no picture.
    """
    found: list[str] = []
    for path in map(Path, images):
        inside = [path]
        if path.is_dir():
            inside = list_images(path, deep=True)
        if not inside or not inside[0].exists():
            raise UsageError(f'there is no picture {path}: check the path')
        found += map(str, inside)
    return found


def spread_over(items: Sequence, count: int) -> list:
    """Choose evenly spaced items.

    Example:
        >>> spread_over(range(10), 3)
        [0, 3, 6]
    """
    count = min(count, len(items))
    return [items[i * len(items) // count] for i in range(count)]


def open_test_set(network: Trained) -> BaseDataset:
    """Open the test set of a network's config.

    Args:
        network (Trained): The network.

    Returns:
        BaseDataset: The data set.

    Raises:
        UsageError: The config has none, or its data are missing.
    """
    settings = (network.cfg.get('test_dataloader') or {}).get('dataset')
    remedy = (
        'give pictures by --images, or the data by --cfg-options '
        'test_dataloader.dataset.data_root=FOLDER'
    )
    if settings is None:
        raise UsageError(f'{network.cfg.filename} has no test set: {remedy}')
    try:
        with DefaultScope.overwrite_default_scope(network.host.scope):
            dataset = DATASETS.build(settings)
    except (
        AssertionError,
        ImportError,
        OSError,
        ValueError,
    ) as error:
        reason = str(error).rstrip('.')
        raise UsageError(f'{reason} ({remedy})') from error
    if not len(dataset):
        raise UsageError(f'the test set is empty: {remedy}')
    return dataset


def _sample(network: Trained, name: str, batch: dict) -> Sample:
    with torch.no_grad():
        data = network.model.data_preprocessor(batch, False)
    return _shown(network, name, data['inputs'])


def _shown(network: Trained, name: str, x: Tensor) -> Sample:
    normalization = normalization_of(network.model.data_preprocessor)
    return Sample(name, x, normalization.picture(x[0]))
