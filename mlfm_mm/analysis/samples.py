"""Pictures to look at a network with: given ones, or of its test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, DefaultScope
from mmengine.structures import BaseDataElement
from torch import Tensor

from ..datasets.images import list_images
from ..engine import UsageError
from ..engine.demo import collate, prepare, read_picture
from ..engine.normalization import normalization_of
from .sizes import input_size
from .trained import Trained


@dataclass(frozen=True)
class Sample:
    """A picture on its way into a network.

    Args:
        name (str): What it is called.
        x (Tensor): What the network reads, (1, C, H, W).
        picture (np.ndarray): The same for people, RGB (H, W, 3).
        truth (BaseDataElement, optional): The host's data sample, with the
            label or the mask where the picture has one. Defaults to None.
    """

    name: str
    x: Tensor
    picture: np.ndarray
    truth: BaseDataElement | None = None


def load_samples(
    network: Trained, images: Sequence[str] = (), count: int = 1
) -> list[Sample]:
    """Bring pictures into the form in which a network reads them.

    Args:
        network (Trained): The network, whose test pipeline they pass.
        images (Sequence[str]): Files, and folders of them. Defaults to
            none, which stands for the network's test set.
        count (int): At most so many, spread over what there is. Defaults to
            1.

    Returns:
        list[Sample]: The pictures.

    Raises:
        UsageError: A file is no picture, or none are given and the test set
            is not there.
    """
    if images:
        files = spread_over(find_pictures(images), count)
        for file in files:
            read_picture(file)
        with DefaultScope.overwrite_default_scope(network.host.scope):
            return [
                _sample(network, Path(file).name, _prepared(network, file))
                for file in files
            ]
    dataset = open_test_set(network)
    chosen = spread_over(range(len(dataset)), count)
    return [
        _sample(network, f'test {i}', collate([dataset[i]], network.host))
        for i in chosen
    ]


def generate_samples(network: Trained, count: int = 1) -> list[Sample]:
    """Make pictures where there are none: soft shapes with fine texture.

    Args:
        network (Trained): The network, whose size they get.
        count (int): How many. Defaults to 1.

    Returns:
        list[Sample]: The pictures, always the same.
    """
    height, width = size_of(network)
    device = next(network.model.parameters()).device
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    rng = np.random.default_rng(0)
    samples = []
    for index in range(count):
        waves = rng.uniform(1, 12, (6, 2)), rng.uniform(0, 6.3, (6, 3))
        phase = (waves[0] @ np.stack([rows.ravel(), columns.ravel()]))[
            ..., None
        ] + waves[1][:, None]
        grey = np.sin(phase).mean(0) + rng.normal(0, 0.1, phase.shape[1:])
        x = torch.from_numpy(grey.T.reshape(1, 3, height, width)).float()
        x = x[:, : channels_of(network)].to(device)
        samples.append(_shown(network, f'generated {index}', x, None))
    return samples


def size_of(network: Trained) -> tuple[int, int]:
    """Tell the height and width that a network is made for, 224 if unsaid."""
    try:
        return input_size(network.cfg)
    except UsageError:
        return 224, 224


def channels_of(network: Trained) -> int:
    """Tell how many channels a network's pictures have."""
    neck = getattr(network.model, 'neck', None)
    return getattr(neck, 'image_channels', 0) or 3


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
    """Choose some of many, at equal distances.

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
        UsageError: The config has none, or its data are not there.
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
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).rstrip('.')
        raise UsageError(f'{reason} ({remedy})') from error
    if not len(dataset):
        raise UsageError(f'the test set is empty: {remedy}')
    return dataset


def _prepared(network: Trained, file: str) -> dict:
    return prepare(network.cfg, network.host, file)


def _sample(network: Trained, name: str, batch: dict) -> Sample:
    with torch.no_grad():
        data = network.model.data_preprocessor(batch, False)
    truth = (data.get('data_samples') or [None])[0]
    return _shown(network, name, data['inputs'], truth)


def _shown(
    network: Trained, name: str, x: Tensor, truth: BaseDataElement | None
) -> Sample:
    normalization = normalization_of(network.model.data_preprocessor)
    return Sample(name, x, normalization.picture(x[0]), truth)
