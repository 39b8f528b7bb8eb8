"""Two tiny U-Nets, trained for two steps on squares."""

from pathlib import Path

from mmengine.config import Config

from mlfm_mm.engine import build_runner
from tests.tools.helpers import write_segments_config

FOLDERS = {'baseline': 'run_baseline', 'mlfm': 'run_mlfm'}


def train_runs(folder: Path) -> Path:
    """Make squares/ in a folder, and the work folders of two runs."""
    write_segments_config(folder)
    for arm, name in FOLDERS.items():
        cfg = Config.fromfile(folder / 'squares.py')
        if arm == 'baseline':
            cfg.model.neck = None
        cfg.work_dir = str(folder / name)
        # By which MMEngine keeps loggers and visualizers apart.
        cfg.experiment_name = cfg.visualizer.name = str(folder / name)
        cfg.train_cfg.update(max_iters=2, val_interval=2)
        cfg.randomness = dict(seed=3)
        cfg.launcher = 'none'
        build_runner(cfg).train()
    return folder
