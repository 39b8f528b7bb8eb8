"""Checkpoints of networks whose neck has weights."""

from typing import Any

import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from mmengine.runner import load_state_dict
from torch import Tensor, nn

from mlfm_mm import MLFMNeck
from tests.models.builders import ToyBackbone, ToyModel


class Neck(nn.Module):
    """A neck with weights, one of which has a name of MLFMNeck's own."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.neck = nn.Conv2d(8, 8, 1)
        self.low_pass = nn.Conv2d(8, 8, 1)

    def forward(self, feats: tuple[Tensor]) -> tuple[Tensor]:
        return (self.low_pass(self.neck(feats[0])),)


class SharingNeck(Neck):
    """A neck that lists a part twice, as that of SwAV does."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.row = nn.Sequential(self.low_pass, nn.BatchNorm2d(8))
        self.norm = self.row[1]


def start() -> MLFMNeck:
    return MLFMNeck(identity_init=True)


def behind(neck: nn.Module) -> MLFMNeck:
    return MLFMNeck(identity_init=True, neck=neck)


# The neck without memory, and with it.
NECKS = {
    'one': (lambda: Neck(), lambda: behind(Neck(1))),
    'with a shared part': (
        lambda: SharingNeck(),
        lambda: behind(SharingNeck(1)),
    ),
    'in a list': (
        lambda: nn.Sequential(Neck(), Neck(2)),
        lambda: nn.Sequential(start(), Neck(1), Neck(3)),
    ),
    'in a list of two': (
        lambda: Neck(),
        lambda: nn.Sequential(start(), Neck(1)),
    ),
    'a list behind': (
        lambda: nn.Sequential(Neck(), Neck(2)),
        lambda: behind(nn.Sequential(Neck(1), Neck(3))),
    ),
    'in the middle': (
        lambda: nn.Sequential(Neck(), Neck(2)),
        lambda: nn.Sequential(Neck(1), start(), Neck(3)),
    ),
    'the first of a list, wrapped': (
        lambda: nn.Sequential(Neck(), Neck(2)),
        lambda: nn.Sequential(behind(Neck(1)), Neck(3)),
    ),
}


@pytest.fixture(params=NECKS)
def pair(request: pytest.FixtureRequest) -> tuple[nn.Module, nn.Module]:
    plain, ours = NECKS[request.param]
    torch.manual_seed(4)
    first = ToyModel(ToyBackbone(), plain())
    torch.manual_seed(5)
    return first.eval(), ToyModel(ToyBackbone(), ours()).eval()


def check_equal(a: nn.Module, b: nn.Module) -> None:
    x = torch.rand(1, 3, 40, 40)
    with torch.no_grad():
        assert torch.equal(a(x)[0], b(x)[0])


def check_missing(names: Any) -> None:
    assert names
    assert all('.units.' in name for name in names)


def test_a_plain_checkpoint_loads_whole(pair: tuple) -> None:
    plain, ours = pair
    seen = ours.load_state_dict(plain.state_dict(), strict=False)
    assert not seen.unexpected_keys
    check_missing(seen.missing_keys)
    check_equal(plain, ours)


def test_mmengine_loads_it(pair: tuple) -> None:
    plain, ours = pair
    load_state_dict(ours, plain.state_dict())
    check_equal(plain, ours)


def test_an_own_checkpoint_loads_as_it_is(pair: tuple) -> None:
    _, ours = pair
    state = {k: v + 1 for k, v in ours.state_dict().items()}
    ours.load_state_dict(state)
    torch.testing.assert_close(dict(ours.state_dict()), state)


def test_an_average_loads_whole(pair: tuple) -> None:
    plain, ours = pair
    average = ExponentialMovingAverage(plain)
    seen = ExponentialMovingAverage(ours)
    missing = seen.load_state_dict(average.state_dict(), strict=False)
    assert not missing.unexpected_keys
    check_equal(plain, seen.module)
