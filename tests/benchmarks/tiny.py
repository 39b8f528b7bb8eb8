"""A network of milliseconds, and figures made up of it."""

from pathlib import Path

import pandas as pd
from mmengine.config import Config

from benchmarks.figures import COLUMNS, Report
from benchmarks.networks import Group, make_group
from benchmarks.setting import Setting
from mlfm_mm.analysis.machine import describe_machine
from tests.tools.helpers import write_digits_config

SETTING = Setting(batch=2, size='32')


def tiny_config(folder: Path) -> Config:
    return Config.fromfile(write_digits_config(folder, 'mlfm'))


def tiny_group(folder: Path, *options: str) -> Group:
    return make_group('tiny', tiny_config(folder), options)


def figures(quantity: str, *ratios: float, noise: float = 0.0) -> pd.DataFrame:
    """Figures as if they had been found; the baseline takes 1."""
    place = 'tiny', '', str(SETTING)
    rows = [(*place, 'baseline', quantity, 1.0, None, 0.0)]
    for arm, ratio in zip(('MLFM', 'with_cp=True'), ratios, strict=False):
        rows.append((*place, arm, quantity, ratio, ratio, noise))
    return pd.DataFrame(rows, columns=COLUMNS)


def report() -> Report:
    found = [
        figures('infer', 1.2, noise=0.02),
        figures('folded', 1.05, noise=0.08),
        figures('train', 1.3, 1.4, noise=0.02),
        figures('saved', 1.5, 1.2),
    ]
    machine = dict(describe_machine('cpu'), load=0.0)
    return Report('python x', machine, pd.concat(found))
