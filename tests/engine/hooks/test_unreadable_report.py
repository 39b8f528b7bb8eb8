import re
from pathlib import Path

import pytest

pytest.importorskip('mmpretrain')

import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor, nn

from tests.tools.helpers import write_image_folder


class Brightness(BaseModel):
    """A network of one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(
        self, inputs: Tensor, data_samples: list, mode: str = 'tensor'
    ) -> dict:
        return dict(loss=inputs.float().mean() * self.weight.sum())


def train(root: Path, work_dir: Path, dataset: dict, workers: int) -> str:
    """Train for two epochs; return the log."""
    load = [
        dict(type='mmpretrain.LoadImageFromFile'),
        dict(type='mmpretrain.PackInputs'),
    ]
    dataset.update(data_root=str(root), pipeline=load)
    if dataset['type'] != 'mlfm_mm.ImageFolder':
        dataset = dict(type='mlfm_mm.ReadableDataset', dataset=dataset)
    runner = Runner(
        Brightness(),
        str(work_dir),
        train_dataloader=dict(
            batch_size=2,
            num_workers=workers,
            dataset=dict(
                type='RepeatDataset',
                times=2,
                dataset=dict(type='ConcatDataset', datasets=[dataset]),
            ),
            sampler=dict(type='DefaultSampler', shuffle=True),
            collate_fn=dict(type='default_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=9)),
        custom_hooks=[dict(type='mlfm_mm.UnreadableReportHook')],
        default_scope='mmengine',
        experiment_name=f'test_{work_dir}_{workers}',
    )
    runner.train()
    (log,) = work_dir.glob('*/*.log')
    return log.read_text()


@pytest.mark.parametrize(
    ('dataset', 'workers', 'count'),
    [
        (dict(type='mmpretrain.CustomDataset'), 2, 7),
        (dict(type='mmpretrain.CustomDataset'), 0, 7),
        (dict(type='mlfm_mm.ImageFolder', val_fraction=0.01), 2, 5),
    ],
)
def test_broken_images_are_named_and_counted(
    tmp_path: Path, dataset: dict, workers: int, count: int
) -> None:
    root = write_image_folder(tmp_path / 'images', 4)
    empty, torn = (root / 'dark' / f'{i}.png' for i in (0, 1))
    empty.write_bytes(b'')
    torn.write_bytes(torn.read_bytes()[:-500])
    log = train(root, tmp_path / 'work', dict(dataset), workers)
    # At the start, in the middle, and at the end of each epoch.
    assert re.search(f'{empty}.* left out|Left out: .*{empty}', log)
    assert f'{torn} cannot be decoded and is replaced' in log
    for epoch in (1, 2):
        assert (
            f'Epoch {epoch}: 1 of {2 * count} training images cannot be '
            f'decoded, and others took their place: {torn}.'
        ) in log
