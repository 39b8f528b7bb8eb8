import os
import signal
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mlfm_mm.engine.hooks import PreemptionHook
from mlfm_mm.engine.hooks.preemption import keep_apart
from mlfm_mm.engine.survival import protect
from tests.engine.hooks.test_exact_resume import (
    distributed,
    exact_config,
    last,
)
from tests.engine.hooks.test_safe_checkpoint import full_disk, log, names
from tests.engine.hooks.toy import add_validation, run, same


def preempted_config(work_dir: Path, **options: Any) -> Config:
    cfg = exact_config(work_dir, **options)
    cfg.default_hooks.checkpoint.max_keep_ckpts = 1
    cfg.custom_hooks.append(dict(type='mlfm_mm.PreemptionHook'))
    return cfg


def pointed_to(folder: Path) -> str:
    path = Path((folder / 'last_checkpoint').read_text())
    assert path.is_file() and path.parent == folder
    return path.name


def told(cfg: Config, **options: Any) -> Config:
    """Send a signal in the sixth iteration."""
    cfg = Config(cfg.to_dict())
    cfg.custom_hooks.append(dict(type='SignalHook', **{'at': 6, **options}))
    return cfg


@pytest.mark.parametrize('by_epoch', [True, False])
def test_saves_leaves_and_goes_on(by_epoch: bool, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    whole, parts = (
        preempted_config(tmp_path / name, by_epoch=by_epoch)
        for name in ('whole', 'parts')
    )
    run(whole)
    with pytest.raises(SystemExit) as left:
        run(told(parts))
    assert left.value.code == 75
    assert signal.getsignal(signal.SIGTERM) is before
    name = 'epoch_1_iter_6.pth' if by_epoch else 'iter_6.pth'
    assert pointed_to(tmp_path / 'parts') == name
    parts.resume = True
    assert name in log(run(parts))
    assert same(last(whole), last(parts))
    # What was saved in between has gone when there was a newer one.
    assert names(tmp_path / 'parts') == names(tmp_path / 'whole')


def test_twice_in_an_epoch_and_at_its_end(tmp_path: Path) -> None:
    whole, parts = (preempted_config(tmp_path / n) for n in ('whole', 'parts'))
    run(whole)
    for at in (5, 6, 8, 12):
        with pytest.raises(SystemExit):
            run(told(parts, at=at))
        parts.resume = True
    run(parts)
    assert same(last(whole), last(parts))
    assert names(tmp_path / 'parts') == names(tmp_path / 'whole')


@pytest.mark.parametrize('by_epoch', [True, False])
def test_all_is_saved_whatever_is_kept_otherwise(
    by_epoch: bool, tmp_path: Path
) -> None:
    """A run whose checkpoints hold weights only goes on all the same."""
    whole, parts = (
        preempted_config(tmp_path / name, by_epoch=by_epoch)
        for name in ('whole', 'parts')
    )
    run(whole)
    parts.default_hooks.checkpoint.update(
        save_optimizer=False, save_param_scheduler=False
    )
    with pytest.raises(SystemExit):
        run(told(parts))
    parts.resume = True
    parts.default_hooks.checkpoint.update(
        save_optimizer=True, save_param_scheduler=True
    )
    run(parts)
    assert same(last(whole), last(parts))


def test_between_updates(tmp_path: Path) -> None:
    cfg = preempted_config(tmp_path)
    cfg.optim_wrapper.accumulative_counts = 4
    with pytest.raises(SystemExit):
        run(told(cfg))
    assert pointed_to(tmp_path) == 'epoch_1_iter_8.pth'


def test_another_signal_and_code(tmp_path: Path) -> None:
    cfg = preempted_config(tmp_path)
    cfg.custom_hooks[-1].update(signals=['SIGUSR1'], exit_code=3)
    with pytest.raises(SystemExit) as left:
        run(told(cfg, name='SIGUSR1'))
    assert left.value.code == 3


@pytest.mark.parametrize('name', ['USR1', 'SIGKILL', 'SIGSTOP'])
def test_wrong_signal(name: str) -> None:
    with pytest.raises(ValueError, match=f'{name} is no signal that'):
        PreemptionHook(signals=[name])


def test_within_a_validation(tmp_path: Path) -> None:
    whole, parts = (preempted_config(tmp_path / n) for n in ('whole', 'parts'))
    for cfg in (whole, parts):
        add_validation(cfg)
        protect(cfg)
    run(whole)
    with pytest.raises(SystemExit) as left:
        run(told(parts, at=0, validation=2))
    assert left.value.code == 75
    # What was validated lies there; it is validated once more.
    assert pointed_to(tmp_path / 'parts') == 'epoch_2.pth'
    parts.resume = True
    assert 'The validation after this checkpoint comes first' in log(
        run(parts)
    )
    assert same(last(whole), last(parts))
    assert names(tmp_path / 'parts') == names(tmp_path / 'whole')


def test_a_validation_between_updates(tmp_path: Path) -> None:
    whole, parts = (preempted_config(tmp_path / n) for n in ('whole', 'parts'))
    for cfg in (whole, parts):
        add_validation(cfg)
        protect(cfg)
        cfg.optim_wrapper.accumulative_counts = 3
    run(whole)
    with pytest.raises(SystemExit):
        run(told(parts, at=0, validation=2))
    # What is saved after iteration 8 lacks the gradients of 7 and 8.
    assert pointed_to(tmp_path / 'parts') == 'epoch_2_iter_9.pth'
    parts.resume = True
    run(parts)
    assert same(last(whole), last(parts))


def test_a_validation_of_what_is_not_saved(tmp_path: Path) -> None:
    cfg = preempted_config(tmp_path)
    add_validation(cfg)
    cfg.default_hooks.checkpoint.interval = 3
    with pytest.raises(SystemExit):
        run(told(cfg, at=0, validation=1))
    assert pointed_to(tmp_path) == 'epoch_1_iter_5.pth'


def test_a_signal_that_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple] = []
    monkeypatch.setattr('os.kill', lambda *told: sent.append(told))
    hook = PreemptionHook()
    # By Slurm and by torchrun, within a moment.
    hook._note(signal.SIGTERM, None)
    hook._note(signal.SIGTERM, None)
    assert hook.received == signal.SIGTERM and not sent
    # By somebody who does not want to wait.
    hook.since -= 60
    hook._note(signal.SIGTERM, None)
    assert sent == [(os.getpid(), signal.SIGTERM)]


def test_who_loads_data_is_spared() -> None:
    loader = DataLoader(
        [0, 1], num_workers=1, worker_init_fn=print, persistent_workers=True
    )
    keep_apart(loader)
    list(loader)
    (worker,) = loader._iterator._workers
    assert os.getpgid(worker.pid) == worker.pid != os.getpgrp()


@pytest.mark.slow
def test_one_of_two_processes_is_told(tmp_path: Path) -> None:
    cfg = preempted_config(tmp_path / 'work')
    printed, codes = distributed(told(cfg, rank=1), tmp_path)
    assert codes == [75, 75], printed
    pointer = tmp_path / 'work' / 'last_checkpoint'
    assert pointer.read_text().endswith('_iter_6.pth')


@pytest.mark.parametrize('by_epoch', [True, False])
def test_a_full_disk_is_told(by_epoch: bool, tmp_path: Path) -> None:
    cfg = preempted_config(tmp_path, by_epoch=by_epoch)
    cfg.log_level = 'ERROR'
    cfg = told(cfg)
    cfg.experiment_name = str(tmp_path)
    runner = Runner.from_cfg(cfg)
    with full_disk(9000), pytest.raises(SystemExit):
        runner.train()
    text = log(runner)
    assert 'could not be written' in text and ': saved' not in text
