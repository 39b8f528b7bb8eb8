import random
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, Sampler

from mlfm_mm.engine.draws import PlacedBatches, place_draws, seed_all
from tests.engine.hooks.toy import BATCH, IMAGES, ToyImages


def draws() -> list[float]:
    return [random.random(), float(np.random.rand()), float(torch.rand(()))]


def test_all_generators_are_seeded() -> None:
    seed_all(1, 2, 3)
    first = draws()
    seed_all(1, 2, 4)
    other = draws()
    seed_all(1, 2, 3)
    assert draws() == first
    assert not set(first) & set(other)
    assert len(set(first)) == 3


def test_places_of_a_pipeline_seed_no_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # That can take PyTorch as long as to read a small image.
    seeded: list[int] = []
    monkeypatch.setattr(torch.cuda, 'manual_seed_all', seeded.append)
    loader = DataLoader(ToyImages(), batch_size=BATCH)
    place_draws(loader, 5, rank=0, processes=1)
    seeded.clear()
    assert len([*loader]) * BATCH >= IMAGES and not seeded
    seed_all(1)
    assert seeded == [torch.initial_seed()]


class EagerBatches(BatchSampler):
    """It draws when it is asked for an iterator."""

    def __iter__(self) -> Iterator[list[int]]:
        batches = [*super().__iter__()]
        random.shuffle(batches)
        return iter(batches)


def loaded(
    workers: int,
    sampler: Sampler,
    epoch: int,
    skip: int = 0,
    kind: type = BatchSampler,
) -> list[torch.Tensor]:
    """Read an epoch after some of another kind."""
    loader = DataLoader(
        ToyImages(),
        batch_sampler=kind(sampler, BATCH, drop_last=False),
        num_workers=workers,
    )
    placed = place_draws(loader, 5, rank=0, processes=1)
    placed.epoch, placed.skip = epoch, skip
    torch.manual_seed(random.randrange(99))
    return [batch['inputs'] for batch in loader]


class DrawingSampler(Sampler):
    """It draws while it is read, as mmdet's GroupMultiSourceSampler."""

    def __init__(self, dataset: ToyImages) -> None:
        self.count = len(dataset)

    def __len__(self) -> int:
        return self.count

    def _indices_of_rank(self, sample_size: int) -> list[int]:
        """Differ from the method of MMEngine's InfiniteSampler."""
        return [*range(sample_size)]

    def __iter__(self) -> Iterator[int]:
        for index in self._indices_of_rank(self.count):
            yield (index + np.random.randint(9)) % self.count


@pytest.mark.parametrize('batches', [BatchSampler, EagerBatches])
@pytest.mark.parametrize(
    'kind', [partial(DefaultSampler, seed=0), RandomSampler, DrawingSampler]
)
def test_batches_follow_from_their_place(
    kind: Callable, batches: type
) -> None:
    first = loaded(0, kind(ToyImages()), 1, kind=batches)
    again = loaded(2, kind(ToyImages()), 1, skip=2, kind=batches)
    other = loaded(0, kind(ToyImages()), 2, kind=batches)
    assert len(first) == len(again) + 2 == 4
    assert all(map(torch.equal, first[2:], again))
    assert not torch.equal(first[3], other[3])


def test_an_image_twice_in_an_epoch_is_augmented_twice() -> None:
    loader = DataLoader(ToyImages(), sampler=[7, 7], batch_size=2)
    place_draws(loader, 5, rank=0, processes=1)
    (batch,) = loader
    assert not torch.equal(*batch['inputs'])


@pytest.mark.parametrize('kind', [DefaultSampler, InfiniteSampler])
def test_draws_do_not_depend_on_the_number_of_processes(
    kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    def places(processes: int) -> set[tuple]:
        found = set()
        for rank in range(processes):
            monkeypatch.setattr(
                'mmengine.dataset.sampler.get_dist_info',
                lambda rank=rank: (rank, processes),
            )
            sampler = kind(range(12), seed=3)
            batches = BatchSampler(sampler, 12 // processes, drop_last=True)
            placed = PlacedBatches(batches, 5, rank, processes)
            found |= set(next(iter(placed)))
        return found

    assert places(1) == places(2) == places(3)
    assert len(places(1)) == 12


def test_endless() -> None:
    sampler = DefaultSampler(range(IMAGES), seed=0)
    placed = PlacedBatches(BatchSampler(sampler, BATCH, False), 5)
    placed.endless = True
    stream = iter(placed)
    first = [next(stream) for _ in range(11)]
    placed.skip = 9
    stream = iter(placed)
    assert [next(stream) for _ in range(2)] == first[9:]
    assert {draw.epoch for batch in first for draw in batch} == {0, 1, 2}
    orders = [[d.image for b in first[i : i + 4] for d in b] for i in (0, 4)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(IMAGES))


def test_what_cannot_be_placed() -> None:
    assert place_draws(DataLoader([1, 2]), 0, 0, 1) is None
    unbatched = DataLoader(ToyImages(), batch_size=None)
    assert place_draws(unbatched, 0, 0, 1) is None
