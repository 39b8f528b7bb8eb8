"""Which call feeds which, read from autograd's graph."""

import pytest
import torch
from torch import Tensor, nn

from mlfm_mm.models.taps.dry_run import DryRun, dry_run
from tests.models.builders import ToyBackbone


class Branches(nn.Module):
    """A stem, two branches beside each other, and parts that lead nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.shrink = nn.AvgPool2d(2)
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU())
        self.left = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU(inplace=True))
        self.right = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU(inplace=True))
        self.drop = nn.Dropout()
        self.aside = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU())
        for parameter in self.stem.parameters():
            parameter.requires_grad = False

    def forward(self, x: Tensor) -> dict[str, list[Tensor]]:
        small = self.shrink(x)
        x = self.stem(x)
        self.aside(x)
        left, right = self.drop(self.left(x)), self.right(x)
        return {'maps': [left + right, small]}


@pytest.fixture(scope='module')
def run() -> DryRun:
    return dry_run(Branches())


def feeds(run: DryRun, first: str, second: str) -> bool:
    return run.feeds(run.calls_of(first)[0], run.calls_of(second)[0])


def test_a_branch_does_not_feed_its_neighbour(run: DryRun) -> None:
    assert feeds(run, 'stem', 'left') and feeds(run, 'stem', 'right')
    assert not feeds(run, 'left', 'right') and not feeds(run, 'right', 'left')
    assert not feeds(run, 'left', 'stem')


def test_a_container_comes_after_its_last_part(run: DryRun) -> None:
    assert feeds(run, 'stem.0', 'stem')
    assert feeds(run, 'stem.1', 'stem')
    assert not feeds(run, 'stem', 'stem.1')


def test_what_leads_nowhere_and_what_no_weight_touched(run: DryRun) -> None:
    def index(name: str) -> int:
        return run.calls_of(name)[0].index

    assert run.flow.reaches_output(index('left'))
    assert not run.flow.reaches_output(index('aside'))
    assert run.flow.is_learned(index('stem'))  # frozen, yet of weights
    assert not run.flow.is_learned(index('shrink'))
    assert run.calls_of('drop')[0].idle
    assert not run.calls_of('left.1')[0].idle  # in place is not idle


@pytest.mark.parametrize(
    'mode', [torch.no_grad, torch.inference_mode, torch.enable_grad]
)
def test_works_where_autograd_is_off(mode) -> None:
    with mode():
        run = dry_run(ToyBackbone())
    assert feeds(run, 'stage0', 'stage2')


def test_a_long_path_needs_no_deep_stack() -> None:
    links = (nn.Sequential(nn.Conv2d(3, 3, 1)) for _ in range(1500))
    run = dry_run(nn.Sequential(*links))
    assert feeds(run, '0', '1499')


def test_keeps_no_graph(run: DryRun) -> None:
    assert all(call.node is None for call in run.root.walk())
