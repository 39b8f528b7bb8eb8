"""What the sweep notes of a network."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from backbone_sweep.attempt import attempt, attempt_all
from backbone_sweep.networks import Network, Plain
from tests.models.builders import ToyBackbone


class Tokens(nn.Module):
    """A transformer's first step."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 16, 16)
        self.norm = nn.LayerNorm(8)
        self.last = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.norm(self.conv(x).flatten(2).mT))


class Broken(ToyBackbone):
    """Does not run."""

    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError('broken')


class Fickle(ToyBackbone):
    """Returns another map in training than in evaluation."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return (self.stage0(x),) if self.training else super().forward(x)


class Reading(ToyBackbone):
    """Reads the values of its maps, which meta tensors do not have."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = super().forward(x)
        assert maps[-1].mean().item() == maps[-1].mean().item()
        return maps


def network(kind: type[nn.Module]) -> Network:
    return Network(kind.__name__, 'x', partial(Plain, kind))


@pytest.mark.parametrize(
    ('kind', 'verdict', 'why'),
    [
        (ToyBackbone, 'held', ''),
        (Tokens, 'refused', 'passes tokens'),
        (Broken, 'not run', 'broken'),
        (Reading, 'held', ''),
        (Fickle, 'failed', 'did not meet the taps'),
    ],
)
def test_verdicts(kind: type[nn.Module], verdict: str, why: str) -> None:
    outcome = attempt('here', network(kind))
    assert outcome.verdict == verdict, outcome.why
    assert why in outcome.why
    assert (outcome.source, outcome.kind) == ('here', kind.__name__)


def test_what_is_noted_of_one_that_holds() -> None:
    outcome = attempt('here', network(ToyBackbone))
    assert outcome.taps == 'stage0 stage1 stage2'
    assert outcome.strides == '2 4 8'
    assert outcome.added == '678'


def test_of_a_refused_kind_one_is_tried() -> None:
    built = []

    def build(memory: bool) -> nn.Module:
        built.append(memory)
        return Plain(Tokens, memory)

    networks = [Network('Tokens', name, build) for name in 'abc']
    outcomes = list(attempt_all('here', networks))
    assert [outcome.example for outcome in outcomes] == ['a', 'b', 'c']
    assert {outcome.verdict for outcome in outcomes} == {'refused'}
    assert len(built) == 1


def test_nothing_is_computed() -> None:
    torch.manual_seed(0)
    state = torch.get_rng_state()
    attempt('here', network(ToyBackbone))
    assert torch.equal(torch.get_rng_state(), state)
