from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mlfm_mm.engine.survival import protect
from tests.engine.hooks.test_exact_resume import stop
from tests.engine.hooks.toy import add_validation, run, toy_config

# No score is so much higher: the third validation is the second in vain.
EARLY = dict(
    type='EarlyStoppingHook',
    monitor='score',
    rule='greater',
    min_delta=99,
    patience=2,
)


def early_config(work_dir: Path, **options: Any) -> Config:
    cfg = toy_config(work_dir)
    add_validation(cfg)
    cfg.train_cfg.max_epochs = 6
    cfg.custom_hooks = [EARLY | options]
    return cfg


def test_mmengine_forgets_its_count(tmp_path: Path) -> None:
    # What is mended; if this fails, the hook may go.
    cfg = early_config(tmp_path)
    assert run(cfg).epoch == 3
    cfg.resume = True
    assert run(cfg).epoch > 3


@pytest.mark.parametrize('save_best', [None, 'score'])
@pytest.mark.parametrize('stopped_at', [6, 8, 11])
def test_a_run_that_was_interrupted(
    save_best: str | None, stopped_at: int, tmp_path: Path
) -> None:
    cfg = early_config(tmp_path)
    cfg.default_hooks.checkpoint.update(save_best=save_best, rule='greater')
    protect(cfg)
    again = Config(cfg.to_dict())
    stop(cfg, stopped_at)
    again.resume = True
    assert run(again).epoch == 3
    # It has stopped: there is nothing left to train.
    runner = run(again)
    assert runner.epoch == 3 and not (tmp_path / 'epoch_4.pth').exists()


def test_more_patience_goes_on(tmp_path: Path) -> None:
    cfg = early_config(tmp_path)
    protect(cfg)
    run(cfg)
    cfg.resume = True
    cfg.custom_hooks[0].patience = 4
    assert run(cfg).epoch == 5


def test_a_threshold(tmp_path: Path) -> None:
    cfg = early_config(tmp_path, patience=9, stopping_threshold=1.5)
    # Written again after the validation, which need not be repeated.
    cfg.default_hooks.checkpoint.update(save_best='score', rule='greater')
    protect(cfg)
    assert run(cfg).epoch == 2
    cfg.resume = True
    assert run(cfg).epoch == 2


def test_by_iterations(tmp_path: Path) -> None:
    cfg = toy_config(tmp_path, by_epoch=False)
    add_validation(cfg)
    cfg.custom_hooks = [EARLY]
    cfg.train_cfg.update(max_iters=12, val_interval=2)
    protect(cfg)
    assert run(cfg).iter == 6
    cfg.resume = True
    assert run(cfg).iter == 6
