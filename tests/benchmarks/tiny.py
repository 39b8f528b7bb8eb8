"""A network of milliseconds, and figures made up of it."""

from pathlib import Path

from mmengine.config import Config

from benchmarks.figures import Figure, Report
from benchmarks.networks import Group, make_group
from benchmarks.setting import Setting
from benchmarks.timing import Ratio
from mlfm_mm.analysis.machine import describe_machine
from tests.tools.helpers import write_digits_config

SETTING = Setting(batch=2, size='32')


def tiny_config(folder: Path) -> Config:
    return Config.fromfile(write_digits_config(folder, 'mlfm'))


def tiny_group(folder: Path, *options: str) -> Group:
    return make_group('tiny', tiny_config(folder), options)


def figures(quantity: str, *ratios: float, noise: float = 0.0) -> list[Figure]:
    """Figures as if they had been found; the baseline takes 1."""
    arms = 'MLFM', 'with_cp=True'
    fields = 'tiny', str(SETTING)
    found = [Figure(*fields, 'baseline', quantity, 1.0)]
    for arm, ratio in zip(arms, ratios, strict=False):
        measured = Ratio(ratio, noise)
        found.append(Figure(*fields, arm, quantity, ratio, measured))
    return found


def report() -> Report:
    found = [
        *figures('infer', 1.2, noise=0.02),
        *figures('folded', 1.05, noise=0.08),
        *figures('train', 1.3, 1.4, noise=0.02),
        *figures('saved', 1.5, 1.2),
    ]
    return Report('python x', describe_machine('cpu'), found, ['a note'])
