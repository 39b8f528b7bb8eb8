import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import LoggerHook
from mmengine.registry import HOOKS

from mlfm_mm.analysis.runs import read_curve
from mlfm_mm.engine import UsageError, build_runner, prepare_training
from mlfm_mm.engine.kinds import WHOLE_WEIGHTS, find_hooks
from tests.tools.helpers import write_digits_config, write_segments_config


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(config='no.py'), "there is no config file 'no.py'"),
        (dict(resume='no.pth'), "--resume: there is no checkpoint 'no.pth'"),
        (
            dict(cfg_options={'load_from': 'no.pth'}),
            "load_from in the config: there is no checkpoint 'no.pth'",
        ),
        (
            dict(cfg_options={'default_scope': 'mmocr'}),
            "default_scope='mmocr' is not known here",
        ),
        (
            dict(cfg_options={'default_scope': None}),
            'the config has no default_scope',
        ),
        (dict(cfg_options={'train_cfg': None}), 'does not say how to train'),
        (dict(work_dir=''), '--work-dir is empty'),
        (
            dict(cfg_options={'train_cfg.val_interval': 0}),
            'train_cfg.val_interval=0 must be at least 1',
        ),
        (
            dict(
                auto_scale_lr=True,
                cfg_options={'auto_scale_lr.base_batch_size': 0},
            ),
            'auto_scale_lr.base_batch_size=0 must be at least 1',
        ),
        (dict(work_dir=__file__), 'test_training.py is a file: give a'),
        (dict(work_dir=f'{__file__}/x'), 'test_training.py is a file: give a'),
        (
            dict(amp=True, cfg_options={'optim_wrapper.type': 'ApexWrapper'}),
            "--amp cannot be used with optim_wrapper.type='ApexWrapper'",
        ),
        (
            dict(cfg_options={'train_dataloader.dataset.pipeline.9.x': 1}),
            '--cfg-options',
        ),
    ],
)
def test_mistakes(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    config = changes.pop('config', str(write_digits_config(tmp_path)))
    with pytest.raises(UsageError) as caught:
        prepare_training(str(config), **changes)
    assert message in str(caught.value)


BY_ITERATIONS = {
    'train_cfg': dict(
        _delete_=True, by_epoch=False, max_iters=6, val_interval=3
    ),
    'param_scheduler': None,
    'default_hooks.checkpoint.by_epoch': False,
    'default_hooks.logger.interval': 2,
}


def test_scores_of_a_run_by_iterations(tmp_path: Path) -> None:
    config = str(write_digits_config(tmp_path))
    cfg = prepare_training(
        config, work_dir=str(tmp_path / 'run'), cfg_options=BY_ITERATIONS
    )
    build_runner(cfg, 'by_iterations').train()
    score = read_curve(tmp_path / 'run', 'accuracy/top1').score
    assert list(score) == [3, 6]


@HOOKS.register_module()
class PlainLogger(LoggerHook):
    """One with fewer options."""

    def __init__(self, interval: int = 10) -> None:
        super().__init__(interval=interval)


def test_a_logger_is_left_as_it_is(tmp_path: Path) -> None:
    config = str(write_digits_config(tmp_path))
    logger = 'default_hooks.logger'
    for own in dict(type='my.Logger', _delete_=True), None:
        options = {**BY_ITERATIONS, logger: own}
        options.pop(f'{logger}.interval')
        cfg = prepare_training(config, cfg_options=options)
        assert 'log_metric_by_epoch' not in str(cfg.default_hooks.logger)
    # A child of MMEngine's, which may not take its options.
    cfg = prepare_training(
        config, cfg_options={**BY_ITERATIONS, f'{logger}.type': 'PlainLogger'}
    )
    assert 'log_metric_by_epoch' not in cfg.default_hooks.logger
    options = {**BY_ITERATIONS, f'{logger}.log_metric_by_epoch': True}
    cfg = prepare_training(config, cfg_options=options)
    assert cfg.default_hooks.logger.log_metric_by_epoch is True
    assert 'log_metric_by_epoch' not in str(prepare_training(config))


def test_numbers_that_nothing_reads(tmp_path: Path) -> None:
    config = str(write_digits_config(tmp_path))
    unread = {
        'train_cfg.val_interval': 0,
        'auto_scale_lr.base_batch_size': 0,
        'auto_scale_lr.enable': False,
    }
    prepare_training(config, no_validate=True, cfg_options=unread)


def test_host_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('mlfm_mm.engine.hosts.find_spec', lambda name: None)
    with pytest.raises(UsageError, match='pip install onedl-mmpretrain'):
        prepare_training(str(write_digits_config(tmp_path)))


def test_loaders_of_a_classifier(tmp_path: Path) -> None:
    cfg = prepare_training(str(write_digits_config(tmp_path)))
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        assert loader.collate_fn == dict(type='default_collate')
        assert loader.pin_memory == torch.cuda.is_available()
        # No workers that could persist.
        assert loader.persistent_workers is False


def test_loaders_of_a_segmentor(tmp_path: Path) -> None:
    config = str(write_segments_config(tmp_path))
    changes = {'train_dataloader.num_workers': 2}
    cfg = prepare_training(config, cfg_options=changes)
    assert 'collate_fn' not in cfg.train_dataloader
    assert cfg.train_dataloader.persistent_workers is True


def test_what_is_set_is_kept(tmp_path: Path) -> None:
    changes = {'train_dataloader.collate_fn': dict(type='pseudo_collate')}
    config = str(write_digits_config(tmp_path))
    cfg = prepare_training(config, cfg_options=changes)
    assert cfg.train_dataloader.collate_fn.type == 'pseudo_collate'


def test_work_dir(tmp_path: Path) -> None:
    config = str(write_digits_config(tmp_path))
    given = prepare_training(config, work_dir='here')
    in_config = prepare_training(config, cfg_options={'work_dir': 'there'})
    assert given.work_dir == 'here'
    assert in_config.work_dir == 'there'
    default = Path(prepare_training(config).work_dir)
    assert default == Path('work_dirs') / 'digits_baseline'


def test_resume(tmp_path: Path) -> None:
    config = str(write_digits_config(tmp_path))
    cfg = prepare_training(config, resume='auto')
    assert cfg.resume is True and cfg.load_from is None
    checkpoint = tmp_path / 'x.pth'
    torch.save({}, checkpoint)
    cfg = prepare_training(config, resume=str(checkpoint))
    assert cfg.resume is True and cfg.load_from == str(checkpoint)
    # An address is left to the Runner.
    prepare_training(config, resume='https://example.org/x.pth')


def test_a_written_config_resumes_with_its_weights(tmp_path: Path) -> None:
    """A run that was stopped early is started again from its own folder."""
    config, weights = write_digits_config(tmp_path), tmp_path / 'x.pth'
    torch.save({}, weights)
    with config.open('a', encoding='utf-8') as file:
        file.write(f'\nload_from = {str(weights)!r}\n')
    for times in range(3):
        cfg = prepare_training(str(config), resume='auto')
        assert cfg.load_from is None
        assert cfg.default_hooks.checkpoint.start_from == str(weights)
        assert len(find_hooks(cfg, WHOLE_WEIGHTS)) == 1
        config = tmp_path / f'again_{times}.py'
        cfg.dump(config)


def test_a_written_config_has_one_watch(tmp_path: Path) -> None:
    def timeouts(config: Path, timeout: float | None) -> list[float | None]:
        cfg = prepare_training(
            str(config), launcher='pytorch', timeout=timeout
        )
        cfg.dump(tmp_path / 'written.py')
        hooks = find_hooks(cfg, 'mlfm_mm.StallHook')
        return [hook.get('timeout') for hook in hooks]

    config, written = write_digits_config(tmp_path), tmp_path / 'written.py'
    assert timeouts(config, None) == [None]
    assert timeouts(config, 30) == [30]
    assert timeouts(written, None) == [30]
    assert timeouts(written, 600) == [600]


def test_a_stricter_hook_stays(tmp_path: Path) -> None:
    hooks = {'custom_hooks': [dict(type='mlfm_mm.WholeWeightsHook')]}
    cfg = prepare_training(
        str(write_digits_config(tmp_path)), resume='auto', cfg_options=hooks
    )
    assert cfg.custom_hooks == hooks['custom_hooks']


def test_auto_scale_lr(tmp_path: Path) -> None:
    config = str(write_digits_config(tmp_path))
    cfg = prepare_training(config, auto_scale_lr=True)
    assert cfg.auto_scale_lr.enable is True
    with open(config, 'a') as file:
        file.write('auto_scale_lr = dict(_delete_=True)')
    with pytest.raises(UsageError, match='needs the batch size'):
        prepare_training(config, auto_scale_lr=True)
    none = {'auto_scale_lr': None}
    with pytest.raises(UsageError, match='needs the batch size'):
        prepare_training(config, auto_scale_lr=True, cfg_options=none)


def test_no_validate(tmp_path: Path) -> None:
    config = str(write_digits_config(tmp_path))
    cfg = prepare_training(config, no_validate=True)
    assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None


def test_a_run_leaves_no_network_behind(tmp_path: Path) -> None:
    """Runs one after another must not fill the memory of a GPU."""
    config = str(write_digits_config(tmp_path, 'mlfm'))
    cfg = prepare_training(config, work_dir=str(tmp_path / 'run'))
    cfg.train_cfg.max_epochs = 1
    runner = build_runner(cfg)
    runner.train()
    left = weakref.ref(runner.model)
    del runner
    gc.collect()
    assert left() is None
