import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader

SUMMARY = dict(type='mlfm_mm.EpochSummaryHook')
STOP = RuntimeError('the machine was taken away')


class Line(BaseModel):
    """A model whose loss is the number that it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, mode: str = 'tensor') -> dict | list:
        loss = x.float().mean() + 0 * self.weight.sum()
        return dict(loss=loss) if mode == 'loss' else [loss]


class Slow(Line):
    """A model that takes its time, and may be stopped."""

    stops_at = 0

    def forward(self, x: Tensor, mode: str = 'tensor') -> dict | list:
        if float(x) == self.stops_at:
            raise STOP
        time.sleep(0.1)
        return super().forward(x, mode)


class Known(Evaluator):
    """An evaluator that knows the answer."""

    def __init__(self) -> None:
        super().__init__([])

    def evaluate(self, size: int) -> dict[str, float]:
        return dict(score=7.0)


def make_runner(
    model: Line, folder: Path, name: str, **settings: Any
) -> Runner:
    loader = DataLoader([dict(x=x) for x in (1.0, 2.0, 6.0)])
    usual = dict(
        train_cfg=dict(by_epoch=True, max_epochs=2),
        default_hooks=dict(logger=dict(type='LoggerHook', interval=2)),
        custom_hooks=[SUMMARY],
    )
    return Runner(
        model,
        str(folder),
        train_dataloader=loader,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        val_dataloader=loader,
        val_cfg=dict(),
        val_evaluator=Known(),
        experiment_name=name,
        **{**usual, **settings},
    )


def summaries_in(folder: Path) -> list[dict]:
    files = sorted(folder.glob('*/vis_data/scalars.json'))
    lines = ''.join(file.read_text() for file in files).splitlines()
    return [r for r in map(json.loads, lines) if 'epoch_time' in r]


def test_epochs_are_recorded(tmp_path: Path) -> None:
    make_runner(Line(), tmp_path, 'test_epochs_are_recorded').train()
    summaries = summaries_in(tmp_path)
    assert [(r['step'], r['epoch_loss']) for r in summaries] == [
        (1, 3.0),
        (2, 3.0),
    ]
    assert all(r['epoch_time'] > 0 for r in summaries)


def test_time_of_an_epoch_that_was_interrupted(tmp_path: Path) -> None:
    hooks = dict(
        logger=dict(type='LoggerHook', interval=2),
        checkpoint=dict(type='CheckpointHook', interval=1, by_epoch=False),
    )
    settings = dict(
        train_cfg=dict(by_epoch=True, max_epochs=1), default_hooks=hooks
    )
    model = Slow()
    model.stops_at = 6
    first = make_runner(model, tmp_path, 'interrupted', **settings)
    with pytest.raises(RuntimeError, match='taken away'):
        first.train()
    again = make_runner(Slow(), tmp_path, 'resumed', resume=True, **settings)
    again.train()
    (summary,) = summaries_in(tmp_path)
    assert summary['epoch_time'] > 0.1 * again.iter


def test_iterations_are_no_epoch(tmp_path: Path) -> None:
    cfg = dict(by_epoch=False, max_iters=4, val_interval=2)
    make_runner(Line(), tmp_path, 'iterations', train_cfg=cfg).train()
    assert not summaries_in(tmp_path)
