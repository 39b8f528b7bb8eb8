"""Fit the quickstart's configs to the user's settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from mlfm_mm.datasets import FolderContents
from mlfm_mm.engine import UsageError, find_host
from mlfm_mm.engine.options import LOADERS, load_config, set_loader_defaults

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
# The last stage works at 1/32 of this; less than a pixel is no image.
MIN_IMAGE_SIZE = 32
# An epoch of fewer steps teaches little: smaller batches are better.
MIN_STEPS = 4
# The share of a resized test image's side that the centre crop keeps.
CROP_RATIO = 0.875
# Differences between seeds are large here: three pairs of runs ended within
# chance on some machines.
DIGITS_SEEDS = 5
NETWORKS = {
    'digits': ('resnet18_w8_textured_digits', 'ResNet-18 w8'),
    'folder': ('resnet18_w16_folder', 'ResNet-18 w16'),
}


@dataclass(frozen=True)
class Settings:
    """What the user asked for.

    Args:
        data (str, optional): A folder of class folders. Defaults to None,
            the handwritten digits.
        epochs (int, optional): Defaults to None, the config's.
        image_size (int, optional): Height and width of the images. Defaults
            to None, the config's.
        max_per_class (int, optional): At most so many images of each class
            and split. Defaults to None, all.
        seed (int): The first seed. Defaults to 0.
        seeds (int, optional): How many seeds each network is trained with.
            Defaults to None: 5 on the digits, 1 on a folder.
        work_dir (str): A folder; each run makes its own in it. Defaults to
            'work_dirs/quickstart'.

    Raises:
        UsageError: If a number is too small.
    """

    data: str | None = None
    epochs: int | None = None
    image_size: int | None = None
    max_per_class: int | None = None
    seed: int = 0
    seeds: int | None = None
    work_dir: str = 'work_dirs/quickstart'

    def __post_init__(self) -> None:
        for name, least in (
            ('epochs', 1),
            ('image_size', MIN_IMAGE_SIZE),
            ('max_per_class', 2),
            ('seed', 0),
            ('seeds', 1),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                option = name.replace('_', '-')
                raise UsageError(
                    f'--{option} {value} is too small: give {least} or more'
                )

    @property
    def all_seeds(self) -> list[int]:
        """list[int]: The seeds that each network is trained with."""
        usual = DIGITS_SEEDS if self.data is None else 1
        return [self.seed + i for i in range(self.seeds or usual)]


def make_config(
    arm: str, seed: int, settings: Settings, contents: FolderContents | None
) -> Config:
    """Read a config of the quickstart and fit it.

    Args:
        arm (str): ``'baseline'`` or ``'mlfm'``.
        seed (int): The seed.
        settings (Settings): What the user asked for.
        contents (FolderContents, optional): What is in the user's folder.

    Returns:
        Config: The config, without a work folder.
    """
    name, _ = network_of(settings)
    cfg = load_config(str(CONFIGS / arm / f'{name}.py'))
    host = find_host(cfg)
    cfg.launcher = 'none'
    cfg.randomness = dict(seed=seed)
    timer = dict(type='mlfm_mm.EpochSummaryHook')
    cfg.custom_hooks = [*cfg.get('custom_hooks', []), timer]
    if settings.epochs is not None:
        cfg.train_cfg.max_epochs = settings.epochs
    for name in LOADERS:
        loader = cfg[name]
        set_loader_defaults(loader, host)
        loader.dataset.max_per_class = settings.max_per_class
        if settings.data is not None:
            loader.dataset.data_root = settings.data
        if settings.image_size is not None:
            set_image_size(loader.dataset.pipeline, settings.image_size)
    if contents is not None:
        fit_to_folder(cfg, contents)
    return cfg


def network_of(settings: Settings) -> tuple[str, str]:
    """Give the name of the network's config, and its title."""
    return NETWORKS['digits' if settings.data is None else 'folder']


def fit_to_folder(cfg: Config, contents: FolderContents) -> None:
    """Fit classes and batch to the user's folder.

    Args:
        cfg (Config): The config, changed in place.
        contents (FolderContents): What is in the folder.
    """
    cfg.model.head.num_classes = len(contents.classes)
    cfg.data_preprocessor.num_classes = len(contents.classes)
    loader = cfg.train_dataloader
    while loader.batch_size > 2 and (
        len(contents.train) < MIN_STEPS * loader.batch_size
    ):
        loader.batch_size //= 2
    # The learning rate follows the batch.
    base = cfg.auto_scale_lr.base_batch_size
    cfg.optim_wrapper.optimizer.lr *= loader.batch_size / base


def set_image_size(pipeline: list[dict], size: int) -> None:
    """Change the size of the images that a pipeline gives.

    Args:
        pipeline (list[dict]): The transforms, changed in place.
        size (int): Height and width.

    Example:
        >>> pipeline = [dict(type='ResizeEdge'), dict(type='CenterCrop')]
        >>> set_image_size(pipeline, 112)
        >>> pipeline[0]['scale'], pipeline[1]['crop_size']
        (128, 112)
    """
    for transform in pipeline:
        kind = transform['type']
        if kind in ('Resize', 'RandomResizedCrop'):
            transform['scale'] = size
        elif kind == 'ResizeEdge':
            transform['scale'] = round(size / CROP_RATIO)
        elif kind in ('CenterCrop', 'RandomCrop'):
            transform['crop_size'] = size
        if 'padding' in transform:
            transform['padding'] = size // 8
