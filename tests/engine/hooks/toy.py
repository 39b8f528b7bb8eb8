"""Runs of a second: a network that draws numbers, on data that do."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.model import BaseDataPreprocessor, BaseModel
from mmengine.registry import (
    DATA_SAMPLERS,
    DATASETS,
    HOOKS,
    METRICS,
    MODELS,
    RUNNERS,
)
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Dataset

IMAGES = 13
BATCH = 4
STEPS = 4


@DATASETS.register_module()
class ToyImages(Dataset):
    """Images that are augmented by all three generators.

    Each that is read leaves its number in the file ``READS``, if one is
    named.
    """

    metainfo = dict(classes=('a', 'b'))

    def __init__(self, poison: int | None = None) -> None:
        self.images = torch.randn(
            IMAGES, 3, 8, 8, generator=torch.Generator().manual_seed(0)
        )
        self.poison = poison

    def __len__(self) -> int:
        return IMAGES

    def __getitem__(self, index: int) -> dict:
        if 'READS' in os.environ:
            with open(os.environ['READS'], 'a') as file:
                file.write(f'{index}\n')
        image = self.images[index] * (1 + random.random())
        image = image + float(np.random.rand()) + torch.rand(3, 1, 1)
        if self.poison in (index, -1):
            image = image * float('nan')
        return dict(
            inputs=image, label=index % 2, img_path=f'image_{index}.png'
        )


@MODELS.register_module()
class ToyNet(BaseModel):
    """A convolution, batch norm, dropout and a linear layer."""

    def __init__(
        self, channels: int = 4, data_preprocessor: dict | None = None
    ) -> None:
        super().__init__(data_preprocessor)
        self.conv = nn.Conv2d(3, channels, 3)
        self.norm = nn.BatchNorm2d(channels)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(channels, 2)

    def forward(
        self, inputs: Tensor, label: Tensor, mode: str = 'tensor', **_: Any
    ) -> dict | list:
        x = self.norm(self.conv(torch.as_tensor(inputs))).relu().mean((2, 3))
        x = self.head(self.drop(x))
        if mode == 'loss':
            return dict(loss=nn.functional.cross_entropy(x, label))
        return list(x)


@MODELS.register_module()
class ResizingPreprocessor(BaseDataPreprocessor):
    """It keeps a size for some batches, as mmdet's BatchSyncRandomResize."""

    def __init__(self) -> None:
        super().__init__()
        self._input_size: tuple[int, int] | None = None
        self.interp_mode = 'nearest'

    def forward(self, data: dict, training: bool = False) -> dict:
        data = super().forward(data, training)
        size = self._input_size or (8, 8)
        inputs = nn.functional.interpolate(
            data['inputs'], size, mode=self.interp_mode
        )
        at = MessageHub.get_current_instance().get_info('iter')
        if at % 3 == 2:
            self._input_size = (random.randint(4, 16), random.randint(4, 16))
            self.interp_mode = 'bilinear'
        return {**data, 'inputs': inputs}


@METRICS.register_module()
class ToyScore(BaseMetric):
    """A score that rises up to the third validation, then falls."""

    def process(self, data_batch: object, data_samples: list) -> None:
        self.results += [float(x.square().sum()) for x in data_samples]

    def compute_metrics(self, results: list) -> dict[str, float]:
        self.calls = getattr(self, 'calls', 0) + 1
        return dict(score=float(3 - abs(3 - self.calls)))


@METRICS.register_module()
class ToyMean(ToyScore):
    """The mean of what the network returns, which its buffers change."""

    def compute_metrics(self, results: list) -> dict[str, float]:
        return dict(score=1e6 * sum(results) / len(results))


@DATA_SAMPLERS.register_module()
class RandomSampler(torch.utils.data.RandomSampler):
    """PyTorch's own, which has neither seed nor epoch."""

    def __init__(self, dataset: ToyImages, seed: int, shuffle: bool) -> None:
        super().__init__(dataset)


@MODELS.register_module()
class SteepNet(ToyNet):
    """A loss that is finite, with a gradient that is not."""

    def forward(self, *args: Any, **more: Any) -> dict | list:
        result = super().forward(*args, **more)
        if isinstance(result, dict):
            zero = self.head.bias.sum() * 0
            result['loss'] = result['loss'] + zero.sqrt()
        return result


@HOOKS.register_module()
class PoisonHook(Hook):
    """Spoil an image from an epoch on."""

    def __init__(self, epoch: int, image: int) -> None:
        self.epoch, self.image = epoch, image

    def before_train_epoch(self, runner: Runner) -> None:
        if runner.epoch >= self.epoch:
            runner.train_dataloader.dataset.poison = self.image


@HOOKS.register_module()
class SignalHook(Hook):
    """Send a signal to a process, within an iteration or a validation."""

    def __init__(
        self,
        at: int = 0,
        name: str = 'SIGTERM',
        rank: int = 0,
        validation: int = 0,
    ) -> None:
        self.at, self.name, self.rank = at, name, rank
        self.validation = validation

    def before_val_epoch(self, runner: Runner) -> None:
        self.validation -= 1
        if self.validation == 0:
            os.kill(os.getpid(), signal.Signals[self.name])

    def before_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if runner.iter + 1 == self.at and runner.rank == self.rank:
            os.kill(os.getpid(), signal.Signals[self.name])


@HOOKS.register_module()
class PauseHook(Hook):
    """Let an iteration take its time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def before_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        time.sleep(self.seconds)


@HOOKS.register_module()
class StopHook(Hook):
    """Stop after an iteration, or in a validation."""

    priority = 'LOWEST'

    def __init__(self, at: int = 0, validation: int = 0) -> None:
        self.at = at
        self.validation = validation

    def after_val_iter(self, runner: Runner, *_: Any, **more: Any) -> None:
        self.validation -= more['batch_idx'] == 1
        if more['batch_idx'] == 1 and self.validation == 0:
            raise KeyboardInterrupt

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if runner.iter + 1 == self.at:
            raise KeyboardInterrupt


def loader(sampler: str, workers: int) -> dict:
    return dict(
        batch_size=BATCH,
        num_workers=workers,
        persistent_workers=workers > 0,
        sampler=dict(type=sampler, shuffle=True),
        dataset=dict(type='ToyImages'),
        collate_fn=dict(type='default_collate'),
    )


def toy_config(
    work_dir: Path | str, by_epoch: bool = True, workers: int = 0
) -> Config:
    """Three epochs of four steps, or twelve iterations, as MMEngine does."""
    sampler = 'DefaultSampler' if by_epoch else 'InfiniteSampler'
    length = dict(max_epochs=3) if by_epoch else dict(max_iters=3 * STEPS)
    lr = dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=9)
    return Config(
        dict(
            model=dict(type='ToyNet'),
            work_dir=str(work_dir),
            train_dataloader=loader(sampler, workers),
            train_cfg=dict(by_epoch=by_epoch, **length),
            optim_wrapper=dict(
                optimizer=dict(type='SGD', lr=0.1, momentum=0.9)
            ),
            param_scheduler=[lr],
            default_hooks=dict(
                checkpoint=dict(
                    type='CheckpointHook',
                    by_epoch=by_epoch,
                    interval=1 if by_epoch else STEPS,
                ),
                logger=dict(type='LoggerHook', interval=1),
            ),
            log_processor=dict(by_epoch=by_epoch),
            randomness=dict(seed=1),
            default_scope='mmengine',
            log_level='INFO',
            launcher='none',
        )
    )


def add_validation(cfg: Config) -> None:
    """Validate after each epoch."""
    cfg.val_dataloader = dict(
        loader('DefaultSampler', 0),
        sampler=dict(type='DefaultSampler', shuffle=False),
    )
    cfg.val_cfg = dict()
    cfg.val_evaluator = dict(type='ToyScore')


def merged(cfg: Config, changes: dict) -> Config:
    cfg.merge_from_dict(changes)
    return cfg


def run(cfg: Config) -> Runner:
    """Run in this process."""
    cfg.experiment_name = f'toy_{os.urandom(6).hex()}'
    # Runs that begin within a second would write to one log.
    while Path(cfg.work_dir, time.strftime('%Y%m%d_%H%M%S')).exists():
        time.sleep(0.05)
    kind = RUNNERS.get(cfg.get('runner_type', 'Runner'))
    runner = kind.from_cfg(cfg)
    runner.train()
    return runner


def weights(path: Path) -> dict[str, Tensor]:
    """Read the weights of a checkpoint."""
    return torch.load(path, weights_only=False)['state_dict']


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Tell whether all bits are the same."""
    return one.keys() == other.keys() and all(
        torch.equal(one[key], other[key]) for key in one
    )
