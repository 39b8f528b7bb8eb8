"""Why calls cannot carry a unit."""

import pytest
import torch
from torch import Tensor, nn

from mlfm_mm.models.taps.checks import refusal
from mlfm_mm.models.taps.dry_run import dry_run


class Parts(nn.Module):
    """One part of each kind, on the way from the image to the output."""

    def __init__(self) -> None:
        super().__init__()
        self.shrink = nn.AvgPool2d(2)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.act = nn.ReLU()
        self.twice = nn.ReLU()
        self.same = nn.Identity()
        self.stage = nn.Sequential(nn.Conv2d(4, 4, 3, 2, 1), nn.ReLU())
        self.fixed = nn.Sequential(nn.AdaptiveAvgPool2d(7), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.pair = Pair()
        self.aside = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU())

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.act(self.norm(self.conv(self.shrink(x))))
        x = self.stage(self.same(self.twice(self.twice(x))))
        self.aside(x)
        return (*self.pair(x), self.fixed(x), self.pool(x))


class Pair(nn.Module):
    """Returns two maps."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x + 1, x + 2


@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('act', None),
        ('stage', None),
        ('shrink', 'still the image'),
        ('conv', 'bare convolution'),
        ('norm', 'norm layer'),
        ('twice', 'fires 2 times'),
        ('same', 'placeholder'),
        ('fixed', 'ignores the image size'),
        ('pool', 'one pixel'),
        ('pair', 'returns several tensors'),
        ('aside', 'no influence'),
    ],
)
def test_reasons(name: str, reason: str | None) -> None:
    with torch.random.fork_rng():
        run = dry_run(Parts())
    found = refusal(run, run.calls_of(name)[0])
    assert found is None if reason is None else reason in str(found)
