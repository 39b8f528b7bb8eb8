import errno
import gc
import weakref
from pathlib import Path

import pytest
from mmengine.runner import Runner

from mlfm_mm.engine.full_disk import tolerate_full_disk
from tests.engine.hooks.test_safe_checkpoint import full_disk, log
from tests.engine.hooks.toy import toy_config


def new_runner(folder: Path) -> Runner:
    """A runner that has not trained yet."""
    cfg = toy_config(folder)
    cfg.experiment_name = str(folder)
    return Runner.from_cfg(cfg)


def test_neither_log_nor_curves_end_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = new_runner(tmp_path)
    tolerate_full_disk(runner)
    with full_disk(5000):
        for step in range(300):
            runner.logger.warning(f'Iteration {step}')
            runner.visualizer.add_scalars(dict(loss=1.0), step=step)
    printed = capsys.readouterr()
    assert 'Traceback' not in printed.err
    # The screen is no disk.
    assert 'Iteration 299' in printed.err + printed.out
    assert 'Curves lack a point' in printed.err + printed.out
    assert 'Iteration 299' not in log(runner)


def test_a_runner_is_freed(tmp_path: Path) -> None:
    runner = new_runner(tmp_path)
    tolerate_full_disk(runner)
    left = weakref.ref(runner)
    del runner
    gc.collect()
    assert left() is None


def test_other_errors_are_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = new_runner(tmp_path)

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EACCES, 'Permission denied')

    monkeypatch.setattr(runner.visualizer, 'add_scalars', refuse)
    tolerate_full_disk(runner)
    with pytest.raises(OSError, match='Permission denied'):
        runner.visualizer.add_scalars(dict(loss=1.0))
