"""MLFM lite is MLFM with fewer units."""

from pathlib import Path

import pytest
from mmengine.config import Config

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
LITE = sorted(path.name for path in (CONFIGS / 'mlfm_lite').glob('*.py'))


@pytest.mark.parametrize('name', LITE)
def test_only_the_taps_differ(name: str) -> None:
    mlfm, lite = (
        Config.fromfile(CONFIGS / arm / name).to_dict()
        for arm in ('mlfm', 'mlfm_lite')
    )
    necks = [cfg['model'].pop('neck') for cfg in (mlfm, lite)]
    assert lite == mlfm
    full, fewer = necks
    assert fewer.pop('taps') == 'stages'
    # The published ResNet-18 has a list of gates, one a unit.
    last = [neck.pop('supplement', [True])[-1] for neck in necks]
    assert fewer == full and last[0] == last[1]
