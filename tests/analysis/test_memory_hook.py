"""The picture is drawn in training, which does not notice."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

from mlfm_mm import MemoryViewHook
from mlfm_mm.engine import build_runner
from tests.tools.helpers import write_segments_config


def train(folder: Path, name: str, **changes: object) -> Runner:
    cfg = Config.fromfile(folder / 'squares.py')
    cfg.work_dir = str(folder / name)
    cfg.experiment_name = str(folder / name)
    cfg.visualizer = dict(
        type='Visualizer',
        name=str(folder / name),
        vis_backends=[
            dict(type='LocalVisBackend'),
            dict(type='TensorboardVisBackend'),
        ],
    )
    cfg.randomness = dict(seed=3)
    cfg.launcher = 'none'
    cfg.merge_from_dict(changes)
    runner = build_runner(cfg)
    runner.train()
    return runner


def test_a_run_is_watched_and_undisturbed(tmp_path: Path) -> None:
    write_segments_config(tmp_path)
    hook = dict(type='mlfm_mm.MemoryViewHook', interval=2, by_epoch=False)
    watched = train(tmp_path, 'watched', custom_hooks=[hook])
    alone = train(tmp_path, 'alone')
    torch.testing.assert_close(
        dict(watched.model.state_dict()),
        dict(alone.model.state_dict()),
        rtol=0,
        atol=0,
    )
    pictures = sorted((tmp_path / 'watched').glob('*/vis_data/vis_image/*'))
    assert [p.name for p in pictures] == ['memory_2.png', 'memory_4.png']
    with Image.open(pictures[0]) as picture:
        assert picture.width > 500
    (events,) = (tmp_path / 'watched').glob('*/vis_data/events*')
    assert b'memory' in events.read_bytes()


def test_no_validation_set(tmp_path: Path) -> None:
    write_segments_config(tmp_path)
    none = dict(val_dataloader=None, val_cfg=None, val_evaluator=None)
    hooks = [dict(type='mlfm_mm.MemoryViewHook', by_epoch=False)]
    with pytest.raises(ValueError, match='no val_dataloader'):
        train(tmp_path, 'x', custom_hooks=hooks, **none)


def test_an_interval_of_nothing() -> None:
    with pytest.raises(ValueError, match='interval=0 must be 1 or more'):
        MemoryViewHook(0)
