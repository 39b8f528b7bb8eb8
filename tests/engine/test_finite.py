import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.traffic import TrafficMode
from mlfm_mm.engine.finite import all_finite, not_finite
from tests.processes import run_ranks

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize('bad', [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, None])
def test_one_bad_number_among_many(bad: float, dtype: torch.dtype) -> None:
    tensors = [torch.ones(3, 4, dtype=dtype), torch.ones(5), torch.ones(())]
    assert all_finite(tensors)
    for tensor in tensors:
        tensor.flatten()[-1] = bad
        assert not all_finite(tensors)
        tensor.fill_(1)


def test_none_at_all() -> None:
    assert all_finite([]) and all_finite([torch.ones(0)])


@pytest.mark.parametrize('dtype', [torch.float16, torch.float32])
def test_numbers_whose_squares_are_infinite(dtype: torch.dtype) -> None:
    largest = torch.full((7,), torch.finfo(dtype).max, dtype=dtype)
    assert all_finite([largest, torch.ones(2)])


def test_as_many_launches_for_a_large_network_as_for_a_small_one() -> None:
    def launches(tensors: list[Tensor]) -> int:
        with TrafficMode() as counted:
            assert all_finite(tensors)
        return counted.traffic.launches

    few, many = ([torch.ones(2)] * count for count in (2, 200))
    assert launches(many) == launches(few) < 10


def test_names_of_tensors() -> None:
    state = dict(good=torch.ones(2), bad=torch.tensor([1, math.nan]), epoch=3)
    assert list(not_finite(state)) == ['bad']


def test_a_bad_number_in_the_shard_of_another_process() -> None:
    """Where processes differ, some would step and others not."""
    program = 'tests/engine/shards.py'
    for rank in run_ranks(2, program, cwd=REPO, PYTHONPATH=str(REPO)):
        assert rank.returncode == 0, rank.stderr
        assert rank.stdout.split() == ['True', 'False', 'True']
