import math
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import METRICS

from mlfm_mm.engine.survival import protect
from tests.engine.hooks.test_exact_resume import stop
from tests.engine.hooks.test_safe_checkpoint import log
from tests.engine.hooks.toy import (
    ToyScore,
    add_validation,
    run,
    toy_config,
)

# No score is so much higher: the third validation is the second in vain.
EARLY = dict(
    type='EarlyStoppingHook',
    monitor='score',
    rule='greater',
    min_delta=99,
    patience=2,
)


@METRICS.register_module()
class NoNumber(ToyScore):
    """A metric that cannot be computed."""

    def compute_metrics(self, results: list) -> dict[str, float]:
        return dict(none=math.nan)


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


@pytest.mark.parametrize('more', [{}, dict(priority='LOWEST')])
@pytest.mark.parametrize('save_best', [None, 'score'])
@pytest.mark.parametrize('stopped_at', [6, 8, 11])
def test_a_run_that_was_interrupted(
    more: dict, save_best: str | None, stopped_at: int, tmp_path: Path
) -> None:
    # MMEngine's own priority, written out, would be too late for ours.
    cfg = early_config(tmp_path, **more)
    cfg.default_hooks.checkpoint.update(save_best=save_best, rule='greater')
    protect(cfg)
    again = Config(cfg.to_dict())
    stop(cfg, stopped_at)
    again.resume = True
    assert run(again).epoch == 3
    # It has stopped: there is nothing left to train.
    runner = run(again)
    assert runner.epoch == 3 and not (tmp_path / 'epoch_4.pth').exists()


def test_two_of_them(tmp_path: Path) -> None:
    # The best score is the third: the first of them counts from there.
    cfg = early_config(tmp_path, min_delta=0)
    cfg.custom_hooks.append(EARLY | dict(patience=9))
    cfg.default_hooks.checkpoint.update(save_best='score', rule='greater')
    protect(cfg)
    again = Config(cfg.to_dict())
    whole = run(Config(dict(cfg, work_dir=str(tmp_path / 'whole')))).epoch
    stop(cfg, 14)
    again.resume = True
    assert run(again).epoch == whole == 5


@pytest.mark.parametrize('patience', [2, 9])
def test_a_score_that_is_no_number(patience: int, tmp_path: Path) -> None:
    cfg = early_config(tmp_path, patience=patience)
    # Another score is a new best, so that this one is not measured again.
    cfg.val_evaluator = [dict(type='ToyScore'), dict(type='NoNumber')]
    cfg.custom_hooks[0].monitor = 'none'
    cfg.default_hooks.checkpoint.update(save_best='score', rule='greater')
    protect(cfg)
    assert run(cfg).epoch == 1
    cfg.resume = True
    runner = run(cfg)
    assert runner.epoch == 1
    assert 'Early stopping by none has ended this run' in log(runner)


def test_more_patience_goes_on(tmp_path: Path) -> None:
    cfg = early_config(tmp_path)
    protect(cfg)
    run(cfg)
    cfg.resume = True
    cfg.custom_hooks[0].patience = 4
    assert run(cfg).epoch == 5


def test_what_an_earlier_version_has_counted(tmp_path: Path) -> None:
    cfg = early_config(tmp_path)
    protect(cfg)
    run(cfg)
    path = tmp_path / 'epoch_3.pth'
    saved = torch.load(path, weights_only=False)
    counted = saved['message_hub']['runtime_info']
    counted['early_stop/score'] = counted['early_stop/score'][:2]
    torch.save(saved, path)
    cfg.resume = True
    # Other numbers change what counts from now on, not what was counted.
    cfg.custom_hooks[0].update(min_delta=98, stopping_threshold=50)
    assert run(cfg).epoch == 3


def test_a_threshold(tmp_path: Path) -> None:
    cfg = early_config(tmp_path, patience=9, stopping_threshold=1.5)
    # Written again after the validation, which need not be repeated.
    cfg.default_hooks.checkpoint.update(save_best='score', rule='greater')
    protect(cfg)
    assert run(cfg).epoch == 2
    cfg.resume = True
    assert run(cfg).epoch == 2
    cfg.custom_hooks[0].stopping_threshold = 2.5
    assert run(cfg).epoch > 2


def test_by_iterations(tmp_path: Path) -> None:
    cfg = toy_config(tmp_path, by_epoch=False)
    add_validation(cfg)
    cfg.custom_hooks = [EARLY]
    cfg.train_cfg.update(max_iters=12, val_interval=2)
    protect(cfg)
    assert run(cfg).iter == 6
    cfg.resume = True
    assert run(cfg).iter == 6
