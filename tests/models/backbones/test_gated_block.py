"""Blocks with a gate, recomputed or not."""

from functools import partial

import pytest

from mlfm_mm.models.backbones import RegNetY, ShallowSEResNet

from .pairing import check_recomputed


@pytest.mark.parametrize(
    'build',
    [
        partial(ShallowSEResNet, depth=10),
        partial(RegNetY, arch='regnety_200mf'),
    ],
)
def test_recomputed_blocks_give_the_same_gradients(build: partial) -> None:
    check_recomputed(build)
