"""A network of milliseconds, and results made up from it."""

from pathlib import Path

from mmengine.config import Config

from mlfm_mm.analysis.benchmark.measure import Row
from mlfm_mm.analysis.benchmark.setting import Setting
from mlfm_mm.analysis.benchmark.timing import Ratio
from mlfm_mm.analysis.benchmark.variants import Group, make_group
from tests.tools.helpers import write_digits_config

SETTING = Setting(batch=2, size=(32, 32))
TRAINING = Setting('train', batch=2, size=(32, 32))
FOLDED = Setting(batch=2, size=(32, 32), folded=True)


def tiny_config(folder: Path) -> Config:
    return Config.fromfile(write_digits_config(folder, 'mlfm'))


def tiny_group(folder: Path, **options: bool) -> Group:
    return make_group('tiny', tiny_config(folder), **options)


def row(
    variant: str,
    least: float,
    setting: Setting = SETTING,
    folded: bool = False,
    **fields: object,
) -> Row:
    """A row as if it had been measured; the baseline takes a second."""
    arm = 'tiny' if variant == 'baseline' else f'tiny + {variant}'
    values = dict(
        network='tiny',
        arm=arm,
        variant=variant,
        setting=setting,
        folded=folded,
        seconds=[least, 1.1 * least],
        ratio=Ratio(least, 0.02),
        ratio_folded=Ratio(1.25 * least, 0.02) if setting.folded else None,
        saved=int(1000 * least) if setting.training else None,
        peak=2000,
        params=100,
        macs=1000,
        floor=None if setting.training else int(4e8 * least),
    )
    return Row(**{**values, **fields})


ROWS = [
    row('baseline', 1.0),
    row('mlfm', 1.2),
    row('plain', 2.0),
    row('baseline', 1.0, FOLDED),
    row('baseline', 0.8, FOLDED, folded=True),
    row('mlfm', 0.9, FOLDED, folded=True),
    row('baseline', 1.0, TRAINING),
    row('mlfm', 1.3, TRAINING),
    row('with_cp', 1.4, TRAINING, saved=1200),
]
