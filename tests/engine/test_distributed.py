import logging
import os
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.model import MMDistributedDataParallel
from torch.nn import SyncBatchNorm

from mlfm_mm.engine import UsageError
from mlfm_mm.engine.distributed import (
    adapt_launcher,
    adapt_wrapper,
    check_gpus,
    first_host,
    leave_together,
    replace_sync_bn,
)


def test_processes_leave_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, '_exit', codes.append)
    monkeypatch.setattr(logging, 'shutdown', lambda: None)
    leave_together()  # there is nothing to leave
    assert not codes
    torch.distributed.init_process_group(
        'gloo', f'file://{tmp_path}/store', rank=0, world_size=1
    )
    leave_together()
    assert not torch.distributed.is_initialized()
    assert codes == [0]


def test_no_launcher_changes_nothing() -> None:
    cfg = Config(dict(launcher='none', model=dict(type='SyncBN')))
    before = cfg.to_dict()
    adapt_launcher(cfg)
    assert cfg.to_dict() == before


@pytest.mark.parametrize('launcher', ['pytorch', 'slurm', 'mpi'])
def test_launcher_without_its_environment(
    launcher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match=f'--launcher {launcher} needs'):
        adapt_launcher(Config(dict(launcher=launcher)))


def test_wrapper_keeps_what_is_set() -> None:
    wrapper = dict(
        type='MMDistributedDataParallel', find_unused_parameters=True
    )
    cfg = Config(dict(model_wrapper_cfg=wrapper))
    adapt_wrapper(cfg)
    assert cfg.model_wrapper_cfg == dict(wrapper, device_ids=None)


def test_the_wrapper_of_a_strategy() -> None:
    flexible = dict(runner_type='FlexibleRunner')
    cfg = Config(dict(flexible, find_unused_parameters=True))
    adapt_wrapper(cfg)
    wrapper = dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=True,
        device_ids=None,
    )
    assert cfg.strategy == dict(type='DDPStrategy', model_wrapper=wrapper)
    own = dict(type='MMDistributedDataParallel', static_graph=True)
    given = dict(type='DDPStrategy', sync_bn='torch', model_wrapper=own)
    cfg = Config(dict(flexible, strategy=given, model=dict()))
    # Only the default runner reads it.
    cfg.model_wrapper_cfg = dict(type='MMDistributedDataParallel')
    adapt_wrapper(cfg)
    replace_sync_bn(cfg)
    own = dict(own, device_ids=None)
    assert cfg.strategy == dict(type='DDPStrategy', model_wrapper=own)
    cfg = Config(dict(flexible, strategy=dict(type='FSDPStrategy')))
    adapt_wrapper(cfg)
    assert cfg.strategy == dict(type='FSDPStrategy')


def test_every_sync_bn_is_replaced() -> None:
    model = dict(
        backbone=dict(norm_cfg=dict(type='SyncBN', eps=0.1)),
        heads=[dict(norm_cfg=dict(type='SyncBN')), dict(type='X')],
    )
    cfg = Config(dict(model=model, sync_bn='torch'))
    replace_sync_bn(cfg)
    assert 'SyncBN' not in str(cfg.model) and 'sync_bn' not in cfg
    assert cfg.model.backbone.norm_cfg == dict(type='BN', eps=0.1)


def test_one_machine_needs_no_scontrol(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('SLURM_NODELIST', 'node7')
    monkeypatch.setenv('SLURM_NNODES', '1')
    assert first_host() == '127.0.0.1'


def test_more_processes_than_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 1)
    check_gpus(1)
    with pytest.raises(UsageError, match='start at most 1 processes'):
        check_gpus(2)


@pytest.mark.parametrize('kind', [SyncBatchNorm, 'torch.nn.SyncBatchNorm'])
def test_sync_bn_by_its_class(kind: object) -> None:
    cfg = Config(dict(model=dict(norm_cfg=dict(type=kind))))
    replace_sync_bn(cfg)
    assert cfg.model.norm_cfg.type == 'BN'


@pytest.mark.parametrize(
    'kind',
    [MMDistributedDataParallel, 'mmengine.MMDistributedDataParallel'],
)
def test_wrapper_by_its_class(kind: object) -> None:
    cfg = Config(dict(model_wrapper_cfg=dict(type=kind)))
    adapt_wrapper(cfg)
    assert cfg.model_wrapper_cfg.device_ids is None
