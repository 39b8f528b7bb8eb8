"""What is recorded where a backbone collects its maps by hooks."""

import pytest
from torch import Tensor, nn

from mlfm_mm.models.taps import find_taps
from mlfm_mm.models.taps.dry_run import DryRun, dry_run
from tests.models.builders import ToyBackbone


class Collecting(ToyBackbone):
    """Returns what hooks on its parts have seen, as some of timm do."""

    def __init__(self, *collected: str) -> None:
        super().__init__()
        self.collected = collected
        self.maps: dict[str, Tensor] = {}
        for name in collected:
            self.get_submodule(name).register_forward_hook(self.collect)

    def collect(self, module: nn.Module, inputs: tuple, out: Tensor) -> None:
        self.maps[str(id(module))] = out

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        self.maps.clear()
        super().forward(x)
        return tuple(self.maps.values())


def reaches(run: DryRun, name: str) -> bool:
    return run.flow.reaches_output(run.calls_of(name)[0].index)


def test_a_map_that_a_hook_collects_is_the_one_that_was_replaced() -> None:
    run = dry_run(Collecting('stage1', 'stage2'))
    assert reaches(run, 'stage1') and reaches(run, 'stage2')


@pytest.mark.parametrize(
    ('collected', 'taps'),
    [
        (('stage2',), ['stage0', 'stage1', 'stage2']),
        # Nobody reads what stage 2 returns.
        (('stage2.2',), ['stage0', 'stage1', 'stage2.2']),
        (('stage0', 'stage1'), ['stage0', 'stage1']),
        (('stage1.2',), ['stage0', 'stage1.2']),
    ],
)
def test_taps_are_where_the_collected_maps_are(
    collected: tuple[str, ...], taps: list[str]
) -> None:
    found, _ = find_taps(Collecting(*collected))
    assert [tap.module for tap in found] == taps
