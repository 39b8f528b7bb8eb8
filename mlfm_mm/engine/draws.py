"""Random numbers that depend on a run's position, not on its history.

They are a function of the seed and of a place: the iteration, for those of
the network; the epoch and the position in it, for the augmentation of an
image. A resumed run then needs no state of a generator, a dataloader worker
or a sampler, whatever their number.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dataset import InfiniteSampler
from torch.utils.data import DataLoader, Dataset, IterableDataset

# Kinds of random numbers, so that no two share a stream.
NETWORK, IMAGE, ORDER = range(3)


def seed_all(*place: int) -> None:
    """Seed Python, NumPy and PyTorch, on all devices.

    Args:
        *place (int): Numbers from zero, which determine the seeds.

    Example:
        >>> seed_all(1, 2)
        >>> first = torch.rand(1)
        >>> seed_all(1, 2)
        >>> bool(torch.rand(1) == first)
        True
    """
    seed_cpu(*place)
    torch.manual_seed(torch.initial_seed())


def seed_cpu(*place: int) -> None:
    """Seed Python, NumPy and PyTorch alike, but not for other devices.

    Pipelines and samplers draw nothing there, and for a device that is not in
    use PyTorch notes the stack of each call, which can take as long as to read
    a small image.

    Args:
        *place (int): Numbers from zero, which determine the seeds.

    Example:
        >>> seed_cpu(1, 2)
        >>> first = torch.rand(1)
        >>> seed_all(1, 2)
        >>> bool(torch.rand(1) == first)
        True
    """
    words = np.random.SeedSequence(place).generate_state(4)
    random.seed(words.tobytes())
    np.random.seed(words)
    torch.default_generator.manual_seed(int(words[:2].view(np.uint64)[0]))


class Draw(NamedTuple):
    """An image that is to be read.

    Args:
        image (int): Its number in the data set.
        epoch (int): The epoch, from zero.
        position (int): Its place in the order of the epoch, counted over
            all processes.
    """

    image: int
    epoch: int
    position: int


class PlacedBatches:
    """A batch sampler that gives each index with its place.

    Args:
        batches (Collection): The batch sampler.
        seed (int): For a sampler that has none of its own.
        rank (int): The number of this process. Defaults to 0.
        processes (int): How many there are. Defaults to 1.

    Example:
        >>> batches = torch.utils.data.BatchSampler(range(9), 2, True)
        >>> [
        ...     [draw.image for draw in batch]
        ...     for batch in PlacedBatches(batches, seed=0)
        ... ][:2]
        [[0, 1], [2, 3]]
    """

    # How many batches to leave out, unread: a resumed run has seen them.
    skip = 0
    epoch = 0
    # Whether iteration goes on with the next epoch.
    endless = False

    def __init__(
        self,
        batches: Collection[list[int]],
        seed: int,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self.batches = batches
        self.seed = seed
        self.rank = rank
        self.processes = processes

    def __len__(self) -> int:
        return len(self.batches)

    def __getattr__(self, name: str) -> object:
        if name == 'batches' or name.startswith('__'):
            raise AttributeError(name)
        return getattr(self.batches, name)

    def __iter__(self) -> Iterator[list[Draw]]:
        yield from self._one_epoch(self.epoch)
        for epoch in count(self.epoch + 1) if self.endless else ():
            yield from self._one_epoch(epoch)

    def _one_epoch(self, epoch: int) -> Iterator[list[Draw]]:
        sampler: Any = getattr(self.batches, 'sampler', None)
        if hasattr(sampler, 'set_epoch'):
            sampler.set_epoch(epoch)
        # Samplers draw from any generator: all at once, as PyTorch's, or for
        # each batch, perhaps ahead of the network.
        seed_cpu(self.seed, ORDER, epoch)
        position, batches = self.rank, iter(self.batches)
        for number in count():
            seed_cpu(self.seed, ORDER, epoch, number)
            batch = next(batches, None)
            if batch is None:
                return
            start = position
            position += len(batch) * self.processes
            if self.skip > 0:
                self.skip -= 1
                continue
            places = range(start, position, self.processes)
            yield [
                Draw(index, epoch, place)
                for index, place in zip(batch, places, strict=True)
            ]


def read_batch(
    dataset: Dataset, seed: int, batch: Sequence[Draw | int]
) -> list:
    """Read images, with augmentation seeded by their place."""
    items = []
    for index in batch:
        # Another loader of the same data set gives plain indices.
        if isinstance(index, Draw):
            seed_cpu(seed, IMAGE, index.epoch, index.position)
            index = index.image
        items.append(dataset[index])
    return items


def place_draws(
    loader: DataLoader, seed: int, rank: int, processes: int
) -> PlacedBatches | None:
    """Seed the random numbers of a data loader by place.

    Args:
        loader (DataLoader): The loader, changed in place.
        seed (int): The seed of the run, the same in all processes.
        rank (int): The number of this process.
        processes (int): How many there are.

    Returns:
        PlacedBatches: Its new batch sampler, or None where it cannot be done:
        without a batch sampler, or with a data set that is iterable only.
    """
    dataset: Any = loader.dataset
    batches: Any = loader.batch_sampler
    if batches is None or isinstance(dataset, IterableDataset):
        return None
    try:
        # PyTorch calls it with each batch of the batch sampler.
        dataset.__getitems__ = partial(read_batch, dataset, seed)
    except AttributeError:
        # A list, say, which takes no attributes and augments nothing.
        return None
    sampler: Any = getattr(batches, 'sampler', None)
    if isinstance(sampler, InfiniteSampler):
        # Begun anew: it may have been used.
        sampler.indices = sampler._indices_of_rank()
    placed = PlacedBatches(batches, seed, rank, processes)
    # PyTorch refuses to replace it, because a running iterator would not
    # notice; this loader has none, or drops it.
    vars(loader)['batch_sampler'] = placed
    loader._iterator = None
    return placed
