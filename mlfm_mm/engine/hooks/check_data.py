"""Refuse data that do not fit the network or the batch, before a run."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence, Sized
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader

from ...datasets.images import shorten
from ...registry import HOOKS
from ..batch import shared_batch
from ..errors import UsageError
from ..models import unwrapped

OTHER_CLASSES = re.compile('rpn_head|RPNHead|semantic_head')


@HOOKS.register_module()
class CheckDataHook(Hook):
    """Check the number of classes and the batches, for any host.

    A head with more classes than the data trains silently, and so does one
    with fewer, as long as no label exceeds it. A last batch of one image
    ends a run hours after its start where batch norm sees a single value.

    Args:
        ignore (Sequence[str]): Heads that need not have the classes of the
            data, such as ``'auxiliary_head.1'`` that finds boundaries.
            Defaults to none.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.CheckDataHook')]
    """

    def __init__(self, ignore: Sequence[str] = ()) -> None:
        self.ignore = tuple(ignore)

    def before_train(self, runner: Runner) -> None:
        """Check the training data.

        Raises:
            UsageError: They do not fit.
        """
        loader = runner.train_dataloader
        batches = getattr(loader, 'batch_sampler', None)
        size = getattr(batches, 'batch_size', None)
        if size:  # a batch sampler of one's own may have none
            check_share(runner.cfg, runner.world_size, size)
        self.check_classes(runner.model, loader.dataset)
        check_labels(loader.dataset, getattr(runner, 'val_loop', None))
        if isinstance(loader, DataLoader):  # else its batches are unknown
            check_batches(loader)
            check_last_batch(runner.model, loader)

    def before_val(self, runner: Runner) -> None:
        """Check the validation data."""
        self.check_classes(runner.model, runner.val_dataloader.dataset)

    def before_test(self, runner: Runner) -> None:
        """Check the test data."""
        self.check_classes(runner.model, runner.test_dataloader.dataset)

    def check_classes(self, model: nn.Module, dataset: object) -> None:
        """Refuse heads whose number of classes is not that of the data.

        Args:
            model (nn.Module): The network.
            dataset (object): Has ``metainfo``; without classes in it,
                nothing is checked.

        Raises:
            UsageError: The message names each head and what to set.
        """
        known = getattr(dataset, 'metainfo', None) or {}
        classes = known.get('classes')
        if not classes:
            return
        fitting = {len(classes), len(known.get('thing_classes') or classes)}
        wrong = {
            name: count
            for name, count in class_numbers(unwrapped(model))
            if count not in fitting and name not in self.ignore
        }
        if wrong:
            remedy = [f'model.{n}.num_classes={len(classes)}' for n in wrong]
            heads = [f'{name} has {count}' for name, count in wrong.items()]
            raise UsageError(
                f'the data ({type(dataset).__name__}) have {len(classes)} '
                f'classes ({shorten(list(map(str, classes)))}), but '
                f'{" and ".join(heads)}: set {" and ".join(remedy)}'
            )


def check_labels(train: object, val_loop: object) -> None:
    """Refuse classes that have other labels in validation than in training."""
    loader = getattr(val_loop, 'dataloader', None)
    if moved := moved_classes(train, getattr(loader, 'dataset', None)):
        raise UsageError(
            'classes have other labels in training than in validation: '
            f'{shorten(moved)}. Make the class folders of both the same, or '
            'give both data sets the same metainfo=dict(classes=...)'
        )


def moved_classes(first: object, second: object) -> list[str]:
    """Name the classes that have other labels in a second data set.

    Folders whose classes differ are numbered each by themselves.

    Args:
        first (object): A data set, which may have ``metainfo``.
        second (object): Another; with another number of classes, nothing is
            compared.

    Returns:
        list[str]: Classes, and their labels in both.

    Example:
        >>> from types import SimpleNamespace
        >>> train = SimpleNamespace(metainfo=dict(classes=('cat', 'dog')))
        >>> val = SimpleNamespace(metainfo=dict(classes=('bird', 'cat')))
        >>> moved_classes(train, val)
        ['cat is 0 and 1']
    """
    known = (getattr(data, 'metainfo', None) or {} for data in (first, second))
    one, other = (list(k.get('classes') or ()) for k in known)
    return [
        f'{name} is {label} and {other.index(name)}'
        for label, name in enumerate(one)
        if len(one) == len(other) and name != other[label] and name in other
    ]


def check_share(cfg: Config, processes: int, size: int) -> None:
    """Refuse a global batch size that each process would take as its own.

    Our tools divide it before a run, so that each takes ``size``; a host's
    own do not know the key.
    """
    total = shared_batch(cfg)
    if processes == 1 or not total or size * processes == total:
        return
    raise UsageError(
        f'train_dataloader.batch_size={total} is the batch of all {processes} '
        'processes (share_batch_size = True), which this program has not '
        "shared out: start mlfm_mm's tools/train.py, or add --cfg-options "
        f'train_dataloader.batch_size={total // processes} '
        'share_batch_size=False'
    )


def class_numbers(model: nn.Module) -> Iterator[tuple[str, int]]:
    """Yield name and ``num_classes`` of each head and of the preprocessor.

    Left out are a detector's RPN, whose only class is any object, and its
    semantic head, for stuff that the data's classes do not include.
    """
    for name, module in model.named_modules():
        if 'head' not in name and name != 'data_preprocessor':
            continue
        if OTHER_CLASSES.search(f'{name} {type(module).__name__}'):
            continue
        count = getattr(module, 'num_classes', None)
        # Backbones without a classifier of their own have -1.
        if isinstance(count, int) and count > 0:
            yield name, count


def batching(loader: DataLoader) -> tuple[int, int] | None:
    """Return the number of images and the batch size, where both are known."""
    sampler, size = loader.sampler, loader.batch_size
    if size is None or isinstance(sampler, InfiniteSampler):
        return None
    return (len(sampler), size) if isinstance(sampler, Sized) else None


def check_batches(loader: DataLoader) -> None:
    """Refuse fewer images than a batch where the last batch is dropped."""
    images, size = batching(loader) or (0, 0)
    if loader.drop_last and images < size:
        raise UsageError(
            f'{images} training images make no batch of {size}, and '
            'drop_last leaves out smaller ones, so that nothing would be '
            f'trained: set train_dataloader.batch_size to {images} or less'
        )


def check_last_batch(model: nn.Module, loader: DataLoader) -> None:
    """Refuse a last batch of one image that the network cannot train on."""
    images, size = batching(loader) or (0, 1)
    if loader.drop_last or size == 1 or images % size != 1:
        return
    if is_model_wrapper(model) and not isinstance(model, DDP):
        return  # sharded: cannot be copied
    try:
        try_one_image(unwrapped(model), loader)
    except Exception as error:  # networks fail in ways of their own
        raise UsageError(
            f'the last batch of each epoch has one image ({images} images in '
            f'batches of {size}), and this network cannot be trained on one: '
            'set train_dataloader.drop_last=True, or another batch_size '
            f'({type(error).__name__}: {error})'
        ) from error


def try_one_image(model: nn.Module, loader: DataLoader) -> None:
    """Compute the loss of one image, on a copy; random states are restored."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(), torch.no_grad():
        batch = loader.collate_fn([loader.dataset[0]])
        trial: Any = deepcopy(model).train()
        trial(**trial.data_preprocessor(batch, True), mode='loss')
    random.setstate(python)
    np.random.set_state(numpy)
