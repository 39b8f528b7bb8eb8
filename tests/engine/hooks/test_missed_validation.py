import re
from pathlib import Path

import pytest
from mmengine.config import Config

from tests.engine.hooks.test_exact_resume import (
    distributed,
    exact_config,
    stop,
)
from tests.engine.hooks.test_safe_checkpoint import log, names
from tests.engine.hooks.toy import STEPS, add_validation, run

TOLD = 'The validation after this checkpoint comes first.'


def validated_config(work_dir: Path, by_epoch: bool = True) -> Config:
    cfg = exact_config(work_dir, by_epoch=by_epoch)
    add_validation(cfg)
    if not by_epoch:
        cfg.train_cfg.val_interval = STEPS
    cfg.custom_hooks.append(dict(type='mlfm_mm.MissedValidationHook'))
    cfg.default_hooks.checkpoint.update(save_best='score', rule='greater')
    return cfg


def stop_in_validation(cfg: Config, number: int) -> None:
    cfg = Config(cfg.to_dict())
    cfg.custom_hooks.append(dict(type='StopHook', validation=number))
    with pytest.raises(KeyboardInterrupt):
        run(cfg)


@pytest.mark.parametrize('by_epoch', [True, False])
@pytest.mark.parametrize('number', [1, 3])
def test_made_up_for(by_epoch: bool, number: int, tmp_path: Path) -> None:
    cfg = validated_config(tmp_path, by_epoch)
    stop_in_validation(cfg, number)
    cfg.resume = True
    runner = run(cfg)
    text = log(runner)
    assert TOLD in text
    # Each validation gives one line with a score.
    assert text.count('score: ') == 4 - number
    assert runner.iter == 3 * STEPS


@pytest.mark.parametrize('at', [3, 5, 7])
def test_none_that_was_not_missed(at: int, tmp_path: Path) -> None:
    cfg = validated_config(tmp_path)
    cfg.default_hooks.checkpoint.update(by_epoch=False, interval=2)
    stop(Config(cfg.to_dict()), at)
    cfg.resume = True
    runner = run(cfg)
    # The best of the first epoch was saved with what is gone on from.
    assert TOLD not in log(runner)


def test_a_run_that_had_ended(tmp_path: Path) -> None:
    cfg = validated_config(tmp_path)
    run(cfg)
    before = names(tmp_path)
    cfg.resume = True
    assert TOLD not in log(run(cfg))
    assert names(tmp_path) == before


@pytest.mark.parametrize('average', [None, False, True])
def test_two_processes_validate_what_is_saved(
    average: bool | None, tmp_path: Path
) -> None:
    """Batch norm's statistics are those of each process while it trains."""
    scores = []
    for name in ('whole', 'parts'):
        cfg = validated_config(tmp_path / name)
        cfg.train_dataloader.batch_size = 2
        cfg.val_evaluator = dict(type='ToyMean')
        if average is not None:
            ema = dict(type='EMAHook', momentum=0.1, update_buffers=average)
            cfg.custom_hooks.append(ema)
        if name == 'parts':
            stopped = Config(cfg.to_dict())
            stopped.custom_hooks.append(dict(type='StopHook', at=9))
            distributed(stopped, tmp_path)
            cfg.resume = True
        printed, _ = distributed(cfg, tmp_path)
        scores.append(re.findall(r'Epoch.val. .* score: ([\d.]+)', printed))
    assert scores[0][-1:] == scores[1][-1:] != []
