import json
from pathlib import Path

import torch
from mmengine.evaluator import Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader


class Line(BaseModel):
    """A model whose loss is the number that it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, mode: str = 'tensor') -> dict | list:
        loss = x.float().mean() + 0 * self.weight.sum()
        return dict(loss=loss) if mode == 'loss' else [loss]


class Known(Evaluator):
    """An evaluator that knows the answer."""

    def __init__(self) -> None:
        super().__init__([])

    def evaluate(self, size: int) -> dict[str, float]:
        return dict(score=7.0)


def test_epochs_are_recorded(tmp_path: Path) -> None:
    loader = DataLoader([dict(x=x) for x in (1.0, 2.0, 6.0)])
    runner = Runner(
        Line(),
        str(tmp_path),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        val_dataloader=loader,
        val_cfg=dict(),
        val_evaluator=Known(),
        default_hooks=dict(logger=dict(type='LoggerHook', interval=2)),
        custom_hooks=[dict(type='mlfm_mm.EpochSummaryHook')],
        experiment_name='test_epochs_are_recorded',
    )
    runner.train()
    (file,) = tmp_path.glob('*/vis_data/scalars.json')
    records = [json.loads(line) for line in file.read_text().splitlines()]
    summaries = [r for r in records if 'epoch_time' in r]
    assert [(r['step'], r['epoch_loss']) for r in summaries] == [
        (1, 3.0),
        (2, 3.0),
    ]
    assert all(r['epoch_time'] > 0 for r in summaries)
