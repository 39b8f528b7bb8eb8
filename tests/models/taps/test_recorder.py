"""What is recorded where a backbone collects its maps by hooks."""

import pytest

from mlfm_mm.models.taps import find_taps
from mlfm_mm.models.taps.dry_run import DryRun, dry_run
from tests.models.builders import CollectingBackbone


def reaches(run: DryRun, name: str) -> bool:
    return run.flow.reaches_output(run.calls_of(name)[0].index)


def test_a_map_that_a_hook_collects_is_the_one_that_was_replaced() -> None:
    run = dry_run(CollectingBackbone('stage1', 'stage2'))
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
    found, _ = find_taps(CollectingBackbone(*collected))
    assert [tap.module for tap in found] == taps
