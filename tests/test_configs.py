"""The rule of the configs, and that each builds."""

from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope

from mlfm_mm import MLFMNeck

pytestmark = pytest.mark.usefixtures('host_indexes_read_once')

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
# The others' configs are tested by `make test-hosts`.
ABSENT = [host for host in ('mmdet', 'mmpose') if not find_spec(host)]
ELSEWHERE = {
    path.name
    for path in (CONFIGS / 'baseline').glob('*.py')
    if any(f"'{host}::" in path.read_text() for host in ABSENT)
}


def names_of(arm: str) -> list[str]:
    """Name the configs whose host is installed."""
    names = {path.name for path in (CONFIGS / arm).glob('*.py')}
    return sorted(names - ELSEWHERE)


MLFM, BASELINE = names_of('mlfm'), names_of('baseline')


def baseline_of(name: str) -> str:
    """The plain network that a config adds its neck to."""
    (base,) = Config._get_base_files(str(CONFIGS / 'mlfm' / name))
    folder, _, plain = base.rpartition('/')
    assert folder == '../baseline'
    return plain


def test_every_baseline_has_its_mlfm() -> None:
    assert MLFM and set(BASELINE) <= set(MLFM)
    # The others are a second form of the memory in the same network.
    assert {baseline_of(name) for name in MLFM} == set(BASELINE)
    assert all(baseline_of(name) == name for name in BASELINE)


def test_cosines_end_with_the_training() -> None:
    # Beyond an end of its own, a rate rises again or stays at nothing.
    for path in (CONFIGS / '_base_/schedules').glob('*.py'):
        found = Config.fromfile(path).param_scheduler
        for scheduler in found if isinstance(found, list) else [found]:
            fixed = {'T_max', 'end'} & set(scheduler)
            assert 'Cosine' not in scheduler['type'] or not fixed, path


@pytest.mark.parametrize('name', MLFM)
def test_mlfm_is_the_baseline_plus_the_neck(name: str) -> None:
    baseline = Config.fromfile(CONFIGS / 'baseline' / baseline_of(name))
    mlfm = Config.fromfile(CONFIGS / 'mlfm' / name)
    neck = mlfm.model.pop('neck')
    baseline.model.pop('neck', None)
    assert neck.type == 'mlfm_mm.MLFMNeck'
    assert mlfm.to_dict() == baseline.to_dict()
    # A head of other classes than the data must not train without a word.
    assert 'mlfm_mm.CheckDataHook' in [h.type for h in mlfm.custom_hooks]


@pytest.mark.parametrize(
    ('folder', 'name'),
    [*(('baseline', n) for n in BASELINE), *(('mlfm', n) for n in MLFM)],
)
def test_builds(folder: str, name: str) -> None:
    cfg = Config.fromfile(CONFIGS / folder / name)
    # Segmentors are many and large; test_segmentation_configs.py trains them.
    segments = cfg.default_scope == 'mmseg'
    place = torch.device('meta') if segments else nullcontext()
    with DefaultScope.overwrite_default_scope(cfg.default_scope), place:
        model = ROOT_MODELS.build(cfg.model)
    necks = [m for m in model.modules() if isinstance(m, MLFMNeck)]
    assert len(necks) == (folder == 'mlfm')
    if necks:
        assert necks[0].taps
