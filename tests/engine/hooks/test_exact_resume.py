import shutil
from inspect import signature
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS
from mmengine.runner import Runner

from mlfm_mm.engine.hooks import ExactResumeHook
from tests.engine.hooks.test_safe_checkpoint import REPO, log
from tests.engine.hooks.toy import (
    STEPS,
    add_validation,
    run,
    same,
    toy_config,
    weights,
)
from tests.processes import run_ranks

EMA = dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.1)
# Its state is spread over the processes.
ZERO = dict(type='ZeroRedundancyOptimizer', optimizer_type='SGD')
AMP = dict(type='mlfm_mm.engine.CPUAmpOptimWrapper')


def exact_config(work_dir: Path, **options: Any) -> Config:
    cfg = toy_config(work_dir, **options)
    cfg.default_hooks.checkpoint.type = 'mlfm_mm.SafeCheckpointHook'
    cfg.custom_hooks = [dict(type='mlfm_mm.ExactResumeHook')]
    return cfg


def last(cfg: Config) -> dict:
    """Find the weights that a run ended with."""
    folder = Path(cfg.work_dir)
    return weights(folder / (folder / 'last_checkpoint').read_text())


def stop(cfg: Config, iteration: int) -> None:
    """Stop after an iteration, as a kill would."""
    cfg.custom_hooks = [
        *cfg.custom_hooks,
        dict(type='StopHook', at=iteration),
    ]
    with pytest.raises(KeyboardInterrupt):
        run(cfg)


@pytest.mark.parametrize(
    ('by_epoch', 'workers'),
    [
        (True, 0),
        (True, 2),
        (False, 0),
        # Its workers take their time to leave.
        pytest.param(False, 2, marks=pytest.mark.slow),
    ],
)
def test_stopped_in_the_middle(
    by_epoch: bool, workers: int, tmp_path: Path
) -> None:
    whole, parts = (
        exact_config(tmp_path / name, by_epoch=by_epoch, workers=workers)
        for name in ('whole', 'parts')
    )
    run(whole)
    # Every second iteration, so also in the middle of epochs.
    for cfg in (whole, parts):
        cfg.default_hooks.checkpoint.update(by_epoch=False, interval=2)
    for stop_at in (3, 7):
        stop(Config(parts.to_dict()), stop_at)
        parts.resume = True
    runner = run(parts)
    assert 'resumed epoch: 1, iter: 6' in log(runner) or not by_epoch
    assert runner.iter == 3 * STEPS
    assert same(last(whole), last(parts))


@pytest.mark.parametrize(
    'changes',
    [
        dict(randomness=dict(seed=None)),
        dict(randomness=dict(seed=3, diff_rank_seed=True)),
        dict(custom_hooks=[dict(type='mlfm_mm.ExactResumeHook'), EMA]),
        {'optim_wrapper.type': AMP['type']},
        {'train_dataloader.sampler': dict(type='RandomSampler')},
        {'model.data_preprocessor': dict(type='ResizingPreprocessor')},
    ],
    ids=['no_seed', 'diff_rank_seed', 'ema', 'amp', 'of_torch', 'sizes'],
)
def test_what_a_run_may_hold(changes: dict, tmp_path: Path) -> None:
    whole, parts = (exact_config(tmp_path / n) for n in ('whole', 'parts'))
    for cfg in (whole, parts):
        cfg.merge_from_dict(changes)
    if cfg.randomness.seed is None:
        # What is drawn by the first part is the seed of the other.
        stop(Config(parts.to_dict()), 5)
        parts.resume = True
        whole.randomness.seed = run(parts).seed
        run(whole)
    else:
        run(whole)
        stop(Config(parts.to_dict()), 5)
        parts.resume = True
        run(parts)
    assert same(last(whole), last(parts))


def test_what_was_seen_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = tmp_path / 'reads'
    for by_epoch in (True, False):
        cfg = exact_config(tmp_path / str(by_epoch), by_epoch=by_epoch)
        cfg.default_hooks.checkpoint.update(by_epoch=False, interval=2)
        stop(Config(cfg.to_dict()), 3)
        cfg.resume = True
        reads.unlink(missing_ok=True)
        monkeypatch.setenv('READS', str(reads))
        run(cfg)
        monkeypatch.delenv('READS')
        count = len(reads.read_text().splitlines())
        # 13 images an epoch, of which the first eight had been seen.
        assert count == (3 * 13 if by_epoch else 3 * STEPS * 4) - 8


def distributed(
    cfg: Config, folder: Path, processes: int = 2
) -> tuple[str, list[int]]:
    """Run in processes joined by gloo; return what they print and leave."""
    cfg.launcher = 'pytorch'
    # As our tools set it, and MMEngine where there are GPUs.
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        broadcast_buffers=False,
    )
    path = folder / 'config.py'
    cfg.dump(path)
    killed = '-m', 'tests.engine.hooks.killed', path
    ranks = run_ranks(processes, *killed, cwd=REPO)
    printed = ''.join(rank.stdout + rank.stderr for rank in ranks)
    return printed, [rank.returncode for rank in ranks]


@pytest.mark.slow
@pytest.mark.parametrize('optimizer', [{}, ZERO], ids=['plain', 'zero'])
def test_two_processes(optimizer: dict, tmp_path: Path) -> None:
    whole, parts = (exact_config(tmp_path / n) for n in ('whole', 'parts'))
    for cfg in (whole, parts):
        cfg.optim_wrapper.optimizer.update(optimizer)
        cfg.default_hooks.checkpoint.update(by_epoch=False, interval=1)
        cfg.train_dataloader.batch_size = 2
    distributed(whole, tmp_path)
    stopped = Config(parts.to_dict())
    stopped.custom_hooks = [
        *stopped.custom_hooks,
        dict(type='StopHook', at=5),
    ]
    assert 'KeyboardInterrupt' in distributed(stopped, tmp_path)[0]
    parts.resume = True
    printed, _ = distributed(parts, tmp_path)
    assert 'resumed epoch: 1, iter: 5' in printed
    assert same(last(whole), last(parts))


@pytest.mark.slow
def test_another_number_of_processes(tmp_path: Path) -> None:
    cfg = exact_config(tmp_path / 'work')
    cfg.default_hooks.checkpoint.update(by_epoch=False, interval=1)
    stopped = Config(cfg.to_dict())
    stopped.custom_hooks.append(dict(type='StopHook', at=2))
    distributed(stopped, tmp_path)
    cfg.resume = True
    runner = run(cfg)
    assert (
        'Resumed with 1 processes, 4 images a step and 4 steps an epoch, '
        'instead of 2, 8 and 2: the run goes on at the same image'
    ) in log(runner)
    # An epoch of two steps, then two of four.
    assert runner.iter == 2 + 2 * 4


def test_another_number_of_images(tmp_path: Path) -> None:
    cfg = exact_config(tmp_path)
    stop(Config(cfg.to_dict()), 6)
    cfg.resume = True
    cfg.train_dataloader.batch_size = 2
    runner = run(cfg)
    assert (
        'Resumed with 1 processes, 2 images a step and 7 steps an epoch, '
        'instead of 1, 4 and 4'
    ) in log(runner)
    # Four steps of four, then two epochs of seven steps.
    assert runner.iter == 4 + 2 * 7


@pytest.mark.parametrize(('images', 'shifted'), [(4, False), (8, True)])
def test_what_several_processes_change(images: int, shifted: bool) -> None:
    before = dict(recipe={}, processes=1, images=4, steps=6)
    runner, now = Mock(), dict(before, processes=2, images=images)
    ExactResumeHook._warn_of_changes(runner, before, now)
    (text,), _ = runner.logger.warning.call_args
    assert 'Resumed with 2 processes' in text
    assert ('are shifted' in text) == shifted


@pytest.mark.parametrize('by_epoch', [True, False])
def test_exact_after_a_change(by_epoch: bool, tmp_path: Path) -> None:
    first = exact_config(tmp_path / 'whole', by_epoch=by_epoch)
    first.default_hooks.checkpoint.update(by_epoch=False, interval=1)
    stop(Config(first.to_dict()), 7)
    shutil.copytree(tmp_path / 'whole', tmp_path / 'parts')
    whole, parts = (
        exact_config(tmp_path / name, by_epoch=by_epoch)
        for name in ('whole', 'parts')
    )
    for cfg in (whole, parts):
        cfg.default_hooks.checkpoint.update(by_epoch=False, interval=1)
        cfg.train_dataloader.batch_size = 2
        cfg.resume = True
    run(whole)
    for at in (8, 10):
        stop(Config(parts.to_dict()), at)
    run(parts)
    assert same(last(whole), last(parts))


def test_lost_gradients_are_told(tmp_path: Path) -> None:
    cfg = exact_config(tmp_path)
    cfg.optim_wrapper.accumulative_counts = 5
    assert 'lies between two updates' in log(run(cfg))
    # The last step always updates.
    cfg.default_hooks.checkpoint.interval = 3
    assert 'lies between two updates' not in log(run(cfg))


def test_a_data_set_that_validation_shares(tmp_path: Path) -> None:
    cfg = exact_config(tmp_path)
    add_validation(cfg)
    shared = DATASETS.build(cfg.train_dataloader.dataset)
    # Only a Runner built in Python can share it.
    loaders = [cfg.pop('train_dataloader'), cfg.pop('val_dataloader')]
    for settings in loaders:
        settings['dataset'] = shared
    cfg.experiment_name = str(tmp_path)
    runner = Runner(
        **{k: v for k, v in cfg.items() if k in signature(Runner).parameters},
        train_dataloader=loaders[0].to_dict(),
        val_dataloader=loaders[1].to_dict(),
    )
    runner.train()
    assert runner.iter == 12


@pytest.mark.parametrize(
    ('changes', 'is_told'),
    [
        ({}, False),
        ({'train_cfg.max_epochs': 4}, True),
        ({'optim_wrapper.optimizer.lr': 0.01}, True),
    ],
)
def test_settings_that_the_checkpoint_overrules(
    changes: dict, is_told: bool, tmp_path: Path
) -> None:
    cfg = exact_config(tmp_path)
    stop(Config(cfg.to_dict()), 5)
    cfg.resume = True
    cfg.merge_from_dict(changes)
    cfg.dump(tmp_path / 'sorted.py')
    runner = run(Config.fromfile(tmp_path / 'sorted.py'))
    told = 'goes on as planned before, for 3 epochs.' in log(runner)
    assert told == is_told
