from pathlib import Path

import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader


class Conv(BaseModel):
    """A convolution that notes the layout of its maps."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.seen: list[bool] = []

    def forward(self, x: Tensor, mode: str = 'tensor') -> dict:
        out = self.conv(x)
        layout = torch.channels_last
        self.seen.append(out.is_contiguous(memory_format=layout))
        return dict(loss=out.mean())


def test_maps_lie_channels_last(tmp_path: Path) -> None:
    runner = Runner(
        Conv(),
        str(tmp_path),
        train_dataloader=DataLoader([dict(x=torch.rand(3, 8, 8))]),
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        custom_hooks=[dict(type='mlfm_mm.ChannelsLastHook')],
        experiment_name='test_channels_last',
    )
    runner.train()
    assert runner.model.seen == [True, True]
