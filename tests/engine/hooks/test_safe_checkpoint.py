import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mlfm_mm.engine import UsageError
from mlfm_mm.engine.checkpoints import check
from mlfm_mm.engine.hooks import SafeCheckpointHook
from mlfm_mm.engine.resume import find_newest
from mlfm_mm.engine.runner import build_runner
from tests.engine.hooks.toy import add_validation, run, toy_config
from tests.processes import run_python, run_ranks

REPO = Path(__file__).resolve().parents[3]


def safe_config(work_dir: Path, **options: Any) -> Config:
    """Validate after each epoch; keep the last and the best."""
    cfg = toy_config(work_dir)
    add_validation(cfg)
    cfg.default_hooks.checkpoint.update(
        type='mlfm_mm.SafeCheckpointHook',
        **dict(
            dict(max_keep_ckpts=1, save_best='score', rule='greater'),
            **options,
        ),
    )
    return cfg


def names(folder: Path) -> set[str]:
    # All but the copy of the config.
    files = (p for p in folder.iterdir() if p.is_file())
    return {p.name for p in files if p.suffix != '.py'}


def run_killed(cfg: Config, folder: Path, where: str, call: int) -> None:
    """Run in a process that kills itself."""
    path = folder / 'config.py'
    cfg.dump(path)
    killed = '-m', 'tests.engine.hooks.killed', path, '--kill', where, call
    done = run_python(*killed, cwd=REPO)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_what_is_kept(tmp_path: Path) -> None:
    run(safe_config(tmp_path))
    # The score falls after the third validation.
    assert names(tmp_path) == {
        'epoch_3.pth',
        'best_score_epoch_3.pth',
        'last_checkpoint',
    }
    last = (tmp_path / 'last_checkpoint').read_text()
    assert last == str(tmp_path / 'epoch_3.pth')
    check(Path(last))


@pytest.mark.parametrize('kind', ['Runner', 'FlexibleRunner'])
@pytest.mark.parametrize('hook', ['', 'mlfm_mm.Safe'])
def test_others_find_the_last(kind: str, hook: str, tmp_path: Path) -> None:
    cfg = safe_config(tmp_path)
    cfg.train_cfg.max_epochs = 2
    run(cfg)
    cfg.default_hooks.checkpoint.type = f'{hook}CheckpointHook'
    cfg.update(resume=True, runner_type=kind, env_cfg=dict())
    cfg.train_cfg.max_epochs = 3
    runner = build_runner(cfg)
    runner.train()
    assert runner.epoch == 3
    assert str(tmp_path / 'epoch_2.pth') in log(runner)
    assert (tmp_path / 'epoch_3.pth').exists()


def test_the_same_as_of_mmengine(tmp_path: Path) -> None:
    ours, theirs = tmp_path / 'ours', tmp_path / 'theirs'
    for folder, kind in ((ours, 'mlfm_mm.Safe'), (theirs, '')):
        cfg = safe_config(folder, max_keep_ckpts=2)
        cfg.default_hooks.checkpoint.type = f'{kind}CheckpointHook'
        run(cfg)
    assert names(ours) == names(theirs)
    for name in ('epoch_2.pth', 'epoch_3.pth', 'best_score_epoch_3.pth'):
        one, other = (
            torch.load(folder / name, weights_only=False)
            for folder in (ours, theirs)
        )
        assert one.keys() == other.keys()
        assert one['meta'].keys() == {*other['meta'], 'written'}
        for key in ('epoch', 'iter'):
            assert one['meta'][key] == other['meta'][key]
        for weight in one['state_dict']:
            assert torch.equal(
                one['state_dict'][weight], other['state_dict'][weight]
            )


@pytest.mark.parametrize(
    ('where', 'call'),
    [('torn', 2), ('replace', 5), ('fsync', 7), ('unlink', 3)],
)
def test_killed_while_writing(where: str, call: int, tmp_path: Path) -> None:
    # Each epoch writes the last, the best, and the last again.
    work = tmp_path / 'work'
    cfg = safe_config(work)
    run_killed(cfg, tmp_path, where, call)
    newest, passed = find_newest(work)
    assert newest is not None and not passed
    cfg.resume = True
    runner = run(cfg)
    assert runner.epoch == 3
    assert not [n for n in names(work) if n.endswith('.part')]
    last = Path((work / 'last_checkpoint').read_text())
    assert last == work / 'epoch_3.pth'
    check(last)
    regular = {n for n in names(work) if n.startswith('epoch')}
    assert regular == {last.name}


def test_resume_takes_the_newest_whole_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cfg = safe_config(tmp_path, max_keep_ckpts=-1)
    run(cfg)
    torn = tmp_path / 'epoch_3.pth'
    torn.write_bytes(torn.read_bytes()[:999])
    (tmp_path / 'last_checkpoint').unlink()
    cfg.resume = True
    runner = run(cfg)
    text = log(runner)
    assert 'Passed over epoch_3.pth: it is torn' in text
    assert f'Going on from {tmp_path / "epoch_2.pth"}' in text
    check(torn)


def log(runner: Any) -> str:
    folder = Path(runner.log_dir)
    return (folder / f'{runner.timestamp}.log').read_text()


def test_resume_in_an_empty_folder(tmp_path: Path) -> None:
    cfg = safe_config(tmp_path)
    cfg.resume = True
    runner = run(cfg)
    assert f'No checkpoint in {tmp_path}: training starts anew.' in log(runner)
    assert 'Auto resumed' not in log(runner)


def test_weights_to_begin_with(tmp_path: Path) -> None:
    first = run(safe_config(tmp_path / 'first')).work_dir
    start = str(Path(first) / 'epoch_3.pth')
    cfg = safe_config(tmp_path / 'new', start_from=start)
    cfg.resume = True
    runner = run(cfg)
    assert f'Load checkpoint from {start}' in log(runner)
    assert runner.iter == 12


def test_resume_where_none_is_whole(tmp_path: Path) -> None:
    cfg = safe_config(tmp_path)
    cfg.resume = True
    (tmp_path / 'epoch_1.pth').write_bytes(b'PK')
    with pytest.raises(UsageError, match='nothing to resume from'):
        run(cfg)


def test_copied_folder(tmp_path: Path) -> None:
    one, copy = tmp_path / 'one', tmp_path / 'copy'
    cfg = safe_config(one)
    cfg.train_cfg.max_epochs = 1
    run(cfg)
    shutil.copytree(one, copy)
    before = {n: (one / n).read_bytes() for n in names(one)}
    cfg = safe_config(copy)
    cfg.resume = True
    runner = run(cfg)
    assert f'Going on from {copy / "epoch_1.pth"}' in log(runner)
    # The original has lost nothing; the copy has replaced its own.
    assert {n: (one / n).read_bytes() for n in names(one)} == before
    assert names(copy) == {
        'epoch_3.pth',
        'best_score_epoch_3.pth',
        'last_checkpoint',
    }


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let no file grow beyond some bytes, the logs of pytest neither."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_failed_write(tmp_path: Path) -> None:
    cfg = safe_config(tmp_path)
    cfg.train_cfg.max_epochs = 1
    run(cfg)
    before = {n: (tmp_path / n).read_bytes() for n in names(tmp_path)}
    size = len(before['epoch_1.pth'])
    cfg = safe_config(tmp_path)
    cfg.resume = True
    # Room for the log and the scalars, not for a checkpoint.
    cfg.log_level = 'ERROR'
    lost = r'training has ended, but .*epoch_3\.pth could not be written'
    cfg.experiment_name = str(tmp_path)
    runner = Runner.from_cfg(cfg)
    with full_disk(size - 1000), pytest.raises(OSError, match=lost):
        runner.train()
    assert runner.epoch == 3
    after = {n: (tmp_path / n).read_bytes() for n in names(tmp_path)}
    assert {n: after[n] for n in before} == before
    text = log(runner)
    assert f'{tmp_path / "epoch_2.pth"} could not be written' in text
    assert f'last whole checkpoint is {tmp_path / "epoch_1.pth"}' in text


def test_failed_write_that_stops(tmp_path: Path) -> None:
    cfg = safe_config(tmp_path, on_failure='stop')
    cfg.log_level = 'ERROR'
    text = r'epoch_1\.pth could not be written'
    with full_disk(9000), pytest.raises(OSError, match=text):
        run(cfg)
    assert names(tmp_path) == set()


def test_wrong_option() -> None:
    with pytest.raises(ValueError, match="on_failure='no' is not known"):
        SafeCheckpointHook(on_failure='no')


def test_names_in_a_folder(tmp_path: Path) -> None:
    cfg = safe_config(tmp_path, filename_tmpl='old/epoch_{}.pth')
    with pytest.raises(UsageError, match='names a folder'):
        run(cfg)


def test_resume_by_a_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cfg = safe_config(tmp_path, max_keep_ckpts=-1)
    cfg.train_cfg.max_epochs = 1
    run(cfg)
    monkeypatch.chdir(tmp_path)
    cfg.update(resume=True, load_from='epoch_1.pth', log_level='ERROR')
    cfg.train_cfg.max_epochs = 2
    cfg.experiment_name = str(tmp_path)
    runner = Runner.from_cfg(cfg)
    size = (tmp_path / 'epoch_1.pth').stat().st_size
    with full_disk(size - 1000), pytest.raises(OSError, match='has ended'):
        runner.train()
    text = f'last whole checkpoint is {tmp_path / "epoch_1.pth"}'
    assert text in log(runner)


def test_folders_of_sharded_weights(tmp_path: Path) -> None:
    """All processes write to them: they are left to MMEngine."""
    words = 'tests/engine/hooks/sharded.py', tmp_path, 'ToyNet'
    for rank in run_ranks(2, *words, cwd=REPO, PYTHONPATH=str(REPO)):
        assert rank.returncode == 0, rank.stderr
        assert rank.stdout.endswith('the same: False\n')
    (last,) = tmp_path.glob('*.pth')
    assert last.name == 'epoch_3.pth'
    assert {p.name for p in last.iterdir()} == {'rank0.pth', 'rank1.pth'}
