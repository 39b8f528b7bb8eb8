"""Threads share a model."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from tests.models.builders import shaken
from tests.robustness.models import DEEP, images, narrow

THREADS, PASSES = 8, 50


@pytest.mark.parametrize('backbone', [{}, DEEP], ids=['shallow', 'deep'])
def test_threads_do_not_mix(backbone: dict) -> None:
    model = shaken(narrow(backbone)).eval()
    # Each thread its own images, of its own size.
    inputs = [images(1, 3, 33 + 4 * i, 64 - i, seed=i) for i in range(THREADS)]
    with torch.no_grad():
        expected = [model(x) for x in inputs]

    def work(i: int) -> bool:
        with torch.no_grad():
            return all(
                torch.equal(model(inputs[i]), expected[i])
                for _ in range(PASSES)
            )

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(work, range(THREADS)))
