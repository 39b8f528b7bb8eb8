"""Random numbers that follow from where a run stands, not from its past.

Every draw is a function of the seed and of a place: the iteration, for what
the network draws; the epoch and the position in it, for what is done to an
image. A run that goes on somewhere else then needs no state of a generator,
of a worker or of a sampler, whatever their number.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset

# What the numbers are drawn for, so that no two share a stream.
NETWORK, IMAGE, ORDER = range(3)


def seed_all(*place: int) -> None:
    """Seed Python, NumPy and PyTorch, on all devices.

    Args:
        *place (int): What the draws shall be a function of, from zero.

    Example:
        >>> seed_all(1, 2)
        >>> first = torch.rand(1)
        >>> seed_all(1, 2)
        >>> bool(torch.rand(1) == first)
        True
    """
    words = np.random.SeedSequence(place).generate_state(4)
    random.seed(words.tobytes())
    np.random.seed(words)
    torch.manual_seed(int(words[:2].view(np.uint64)[0]))


class Draw(NamedTuple):
    """An image that is to be read.

    Args:
        image (int): Its number in the data set.
        epoch (int): How often the data set has been gone through.
        position (int): Its place in the order of the epoch, counted over
            all processes.
    """

    image: int
    epoch: int
    position: int


class PlacedBatches:
    """A batch sampler whose images know their place.

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

    # Batches to leave out, which were trained on before: they are not read.
    skip = 0
    epoch = 0
    # Whether the next epoch follows by itself.
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
        # PyTorch's samplers take their seed from its generator.
        seed_all(self.seed, ORDER, epoch)
        position = self.rank
        for batch in self.batches:
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


class SeededReading:
    """Read images whose augmentation follows from their place.

    PyTorch's data loaders call a data set's ``__getitems__``, if it has one,
    with a batch of what its sampler gives.

    Args:
        dataset (Dataset): The data set.
        seed (int): The seed of the run.
    """

    def __init__(self, dataset: Dataset, seed: int) -> None:
        self.dataset = dataset
        self.seed = seed

    def __call__(self, batch: list[Draw]) -> list:
        """Read a batch."""
        return [self._read(*draw) for draw in batch]

    def _read(self, index: int, epoch: int, position: int) -> object:
        seed_all(self.seed, IMAGE, epoch, position)
        return self.dataset[index]


def place_draws(
    loader: DataLoader, seed: int, rank: int, processes: int
) -> PlacedBatches | None:
    """Make what a data loader draws a function of the place.

    Args:
        loader (DataLoader): The loader, changed in place.
        seed (int): The seed of the run, the same in all processes.
        rank (int): The number of this process.
        processes (int): How many there are.

    Returns:
        PlacedBatches: Its batch sampler, or None where it cannot be done:
        a loader without batches, or over a stream.
    """
    dataset: Any = loader.dataset
    batches: Any = loader.batch_sampler
    if batches is None or isinstance(dataset, IterableDataset):
        return None
    try:
        dataset.__getitems__ = SeededReading(dataset, seed)
    except AttributeError:
        # A list, say, of which each image is what it is.
        return None
    sampler: Any = getattr(batches, 'sampler', None)
    if hasattr(sampler, '_indices_of_rank'):
        # MMEngine's endless sampler, of which some may have been taken.
        sampler.indices = sampler._indices_of_rank()
    placed = PlacedBatches(batches, seed, rank, processes)
    # PyTorch refuses to replace it, because a loader at work would not
    # notice; this one has not begun, or begins anew.
    vars(loader)['batch_sampler'] = placed
    loader._iterator = None
    return placed
