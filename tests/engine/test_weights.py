"""Checkpoints of every kind that a user may hand over."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.model import initialize
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from mlfm_mm.engine import UsageError, one_sentence
from mlfm_mm.engine.weights import (
    load_whole,
    read_checkpoint,
    weights_only,
)


class Burglar:
    """What a pickle can do to whoever reads it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.mark),)


def save(path: Path, **content: Any) -> str:
    torch.save(content, path)
    return str(path)


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    burglar = Burglar(tmp_path / 'been_here')
    weights = dict(weight=torch.zeros(1))
    return save(tmp_path / 'x.pth', state_dict=weights, meta=burglar)


def test_code_is_not_run(hostile: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'run code \(\w+.mkdir\).*--trust'):
        read_checkpoint(hostile)
    assert not (tmp_path / 'been_here').exists()
    with weights_only(trust=True):
        read_checkpoint(hostile)
    assert (tmp_path / 'been_here').exists()


def test_nor_where_the_caller_asks_for_it(
    hostile: str, tmp_path: Path
) -> None:
    """MMEngine reads once more, without care, what was refused."""
    with weights_only(), pytest.raises(Exception, match='mkdir'):
        torch.load(hostile, weights_only=False)
    assert not (tmp_path / 'been_here').exists()


def test_the_switch_is_as_before_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', raising=False)
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    with weights_only():
        assert os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] == '1'
        assert 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD' not in os.environ
    assert 'TORCH_FORCE_WEIGHTS_ONLY_LOAD' not in os.environ
    assert os.environ['TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'] == '1'


def test_what_mmengine_saves_is_harmless(tmp_path: Path) -> None:
    hub = MessageHub('test_what_mmengine_saves')
    hub.update_scalar('train/loss', 1.5)
    hub.update_info('numbers', [np.float32(1), np.int64(2), np.arange(3)])
    path = save(
        tmp_path / 'x.pth',
        state_dict=dict(weight=torch.zeros(1)),
        message_hub=hub.state_dict(),
        random=dict(numpy=np.random.get_state()),
    )
    found: Any = read_checkpoint(path)
    scalars = found['message_hub']['log_scalars']
    assert scalars['train/loss'].current() == 1.5


def test_empty_arrays_are_harmless(tmp_path: Path) -> None:
    """Of mmpose's faces and hands, whose points have no ``sigmas``."""
    meta = dict(sigmas=np.array([]).astype(np.float32))
    found: Any = read_checkpoint(save(tmp_path / 'x.pth', meta=meta))
    assert found['meta']['sigmas'].shape == (0,)


@pytest.mark.parametrize(
    'schedule',
    [
        dict(type='ConstantLR', factor=0.5),
        dict(type='CosineAnnealingLR', T_max=4),
        dict(
            type='CosineRestartLR',
            periods=[2, 2],
            restart_weights=[1, 0.5],
            eta_min=0,
        ),
        dict(type='ExponentialLR', gamma=0.9),
        dict(type='LinearLR', start_factor=0.1),
        dict(type='MultiStepLR', milestones=[2]),
        dict(type='OneCycleLR', eta_max=0.1, total_steps=4),
        dict(
            type='OneCycleLR',
            eta_max=0.1,
            total_steps=4,
            anneal_strategy='linear',
        ),
        dict(type='PolyLR', power=0.9),
        dict(type='ReduceOnPlateauLR', monitor='loss'),
        dict(type='StepLR', step_size=2),
    ],
    ids=lambda schedule: schedule['type'],
)
def test_schedules_are_harmless(schedule: dict, tmp_path: Path) -> None:
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    scheduler = PARAM_SCHEDULERS.build(dict(schedule, optimizer=optimizer))
    state = scheduler.state_dict()
    path = save(tmp_path / 'x.pth', param_schedulers=[state])
    found: Any = read_checkpoint(path)
    assert found['param_schedulers'] == [state]


@pytest.mark.parametrize('name', ['_get_value', '__init__', '__class__'])
def test_nothing_else_of_a_schedule_is_read(name: str, tmp_path: Path) -> None:
    class Bad:
        def __reduce__(self) -> tuple:
            return getattr, (OneCycleParamScheduler, name)

    path = save(tmp_path / 'x.pth', meta=Bad())
    with pytest.raises(UsageError, match='would run code'):
        read_checkpoint(path)


@pytest.mark.parametrize('content', [b'', b'no checkpoint', b'PK\x03\x04no'])
def test_damaged(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / 'x.pth'
    path.write_bytes(content)
    with pytest.raises(UsageError, match='no checkpoint, or damaged'):
        read_checkpoint(str(path))


def test_torn(tmp_path: Path) -> None:
    path = tmp_path / 'x.pth'
    save(path, weight=torch.zeros(10_000))
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(UsageError, match='no checkpoint, or damaged'):
        read_checkpoint(str(path))


def test_something_else(tmp_path: Path) -> None:
    torch.save([1], tmp_path / 'x.pth')
    with pytest.raises(UsageError, match='holds no weights but a list'):
        read_checkpoint(str(tmp_path / 'x.pth'))


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        (dict(bias=None), 'bias is missing'),
        (dict(neck=torch.zeros(1)), 'neck is left over'),
        (dict(weight=torch.zeros(3, 2)), 'size mismatch for weight'),
    ],
)
def test_weights_of_another_network(change: dict, told: str) -> None:
    model = nn.Linear(2, 2)
    state = {**model.state_dict(), **change}
    state = {k: v for k, v in state.items() if v is not None}
    checkpoint = dict(state_dict=state, meta=dict(experiment_name='run'))
    with pytest.raises(UsageError, match=f'belong to run: .*{told}'):
        load_whole(model, checkpoint, 'x.py')
    load_whole(model, checkpoint, 'x.py', allow_partial=True)


def test_own_weights() -> None:
    model, other = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    nn.init.ones_(other.bias)
    state = {f'module.{k}': v for k, v in other.state_dict().items()}
    # As PyTorch before 0.4.1 wrote it.
    del state['module.num_batches_tracked']
    load_whole(model, dict(state_dict=state), 'x.py')
    assert model.bias.tolist() == [1, 1]


def test_initial_weights_are_read_with_care(
    hostile: str, tmp_path: Path
) -> None:
    """``init_cfg`` of a module, which MMEngine reads by itself."""
    init = dict(type='Pretrained', checkpoint=hostile)
    with (
        pytest.raises(SystemExit, match=r'run code \(\w+.mkdir\)'),
        one_sentence('train.py'),
        weights_only(),
    ):
        initialize(nn.Linear(1, 1), init)
    assert not (tmp_path / 'been_here').exists()
