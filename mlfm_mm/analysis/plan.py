"""What the quickstart is going to do, and how long that will take."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import DATASETS, init_default_scope

from ..datasets import FolderContents
from .complexity import Complexity, measure_complexity, time_step
from .models import build_model
from .recipe import Settings, image_size, make_config

ARMS = {'baseline': 'ResNet-18 w16', 'mlfm': 'ResNet-18 w16 + MLFM'}
# Validation has no backward pass, which takes twice the time of a forward.
FORWARD_SHARE = 1 / 3
TIMED_IMAGES = 32


@dataclass
class Arm:
    """A network of the comparison.

    Args:
        title (str): Its name for people.
        cfg (Config): Its config.
        complexity (Complexity): Its size.
        step_seconds (float): Time of a training step.
    """

    title: str
    cfg: Config
    complexity: Complexity
    step_seconds: float


@dataclass
class Plan:
    """What a run is going to do.

    Args:
        arms (list[Arm]): The networks.
        train_images (int): Number of training images.
        val_images (int): Number of validation images.
        classes (int): Number of classes.
        image_seconds (float): Time to load an image.
    """

    arms: list[Arm]
    train_images: int
    val_images: int
    classes: int
    image_seconds: float

    @property
    def epochs(self) -> int:
        """Epochs of each network."""
        return self.arms[0].cfg.train_cfg.max_epochs

    @property
    def batch_size(self) -> int:
        """Images in a training batch."""
        return self.arms[0].cfg.train_dataloader.batch_size

    def seconds(self) -> float:
        """Estimate how long all epochs take."""
        images = self.train_images + self.val_images
        # Loading shares the processor's cores with training.
        loading = images * self.image_seconds / (os.cpu_count() or 1)
        passes = self.train_images + self.val_images * FORWARD_SHARE
        epochs = [
            passes / self.batch_size * arm.step_seconds + loading
            for arm in self.arms
        ]
        return self.epochs * sum(epochs)


def make_plan(
    settings: Settings, configs: Path, contents: FolderContents | None
) -> Plan:
    """Fit the configs, build both networks once, and measure them.

    Args:
        settings (Settings): What the user asked for.
        configs (Path): The folder of the project's configs.
        contents (FolderContents, optional): What is in the user's folder.

    Returns:
        Plan: The plan.
    """
    arms = []
    for name, title in ARMS.items():
        path = configs / name / f'resnet18_w16_{settings.dataset}.py'
        cfg = make_config(path, settings, contents)
        size = (image_size(cfg),) * 2
        model = build_model(cfg).to(get_device())
        complexity = measure_complexity(model, size)
        seconds = time_step(model, cfg.train_dataloader.batch_size, size)
        arms.append(Arm(title, cfg, complexity, seconds))
    init_default_scope('mmpretrain')
    loaders = (cfg.train_dataloader, cfg.val_dataloader)
    trains, vals = [DATASETS.build(loader.dataset) for loader in loaders]
    start = time.perf_counter()
    timed = min(TIMED_IMAGES, len(trains))
    for index in range(timed):
        trains[index]
    image_seconds = (time.perf_counter() - start) / timed
    return Plan(
        arms, len(trains), len(vals), len(trains.CLASSES), image_seconds
    )


def describe(plan: Plan, settings: Settings) -> str:
    """Say in one line what is trained on what.

    Args:
        plan (Plan): The plan.
        settings (Settings): What the user asked for.

    Returns:
        str: The line, without a full stop.
    """
    source = 'handwritten digits'
    if settings.data is not None:
        source = Path(settings.data).resolve().name
    size = image_size(plan.arms[0].cfg)
    return (
        f'{source}: {plan.classes} classes, {plan.train_images} training '
        f'and {plan.val_images} validation images, {size}x{size} px, '
        f'{plan.epochs} {"epoch" if plan.epochs == 1 else "epochs"}, '
        f'batch {plan.batch_size}'
    )


def spoken(seconds: float) -> str:
    """Round a time as people do.

    Example:
        >>> spoken(8), spoken(140), spoken(9000)
        ('10 seconds', '2.5 minutes', '2.5 hours')
    """
    if seconds < 55:
        return f'{max(10, round(seconds, -1)):.0f} seconds'
    if seconds < 5400:
        return f'{round(seconds / 30) / 2:g} minutes'
    return f'{round(seconds / 1800) / 2:g} hours'
