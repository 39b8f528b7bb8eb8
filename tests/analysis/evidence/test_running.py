import fcntl
import os
import signal
import time
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import Mock

import pytest
from rich.console import Console
from rich.progress import Progress

from mlfm_mm.analysis.evidence import read_plan, read_records, running
from mlfm_mm.analysis.evidence.plan import (
    FINGERPRINT,
    Run,
    fingerprint,
    make_config,
)
from mlfm_mm.analysis.evidence.running import (
    Job,
    _left,
    _stop,
    check_begun,
    run_plan,
    tell_state,
)
from mlfm_mm.engine import UsageError
from tests.analysis.evidence.test_plan import RECIPE, write_plan
from tests.analysis.test_runs import write


def begun_plan(folder: Path, epochs: int) -> Path:
    """A plan whose first run was validated after some of its ten epochs."""
    path = write_plan(folder)
    schedule = 'train_cfg = dict(max_epochs=10)'
    (folder / 'recipe.py').write_text(f'{RECIPE}\n{schedule}\n')
    scalars = [{'accuracy/top1': 1.0, 'step': n + 1} for n in range(epochs)]
    if scalars:
        write(folder / 'work/plain_s3', '20260101_000000', scalars)
    return path


def test_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = read_plan(begun_plan(tmp_path, 4))
    work = tmp_path / 'work'
    tell_state(plan, work, tmp_path / 'none.jsonl', Console())
    said = capsys.readouterr().out
    assert said.split('\n')[:2] == [
        'plan: 0 of 4 runs done',
        '  plain_s3: 4 of 10 epochs',
    ]


def test_the_time_left() -> None:
    clock = Mock(return_value=0)
    progress = Progress(get_time=clock)
    task = progress.add_task('plan', total=40, completed=4, before=4)
    assert _left(progress) == ''
    # Of two runs side by side, both end an epoch every ten minutes.
    for seconds, done, left in (600, 5, 350), (602, 6, 171), (1202, 8, 160):
        clock.return_value = seconds
        progress.update(task, completed=done)
        assert _left(progress) == f'{left} minutes left'


def test_one_command_runs_a_plan(tmp_path: Path) -> None:
    plan = read_plan(begun_plan(tmp_path, 0))
    with open(tmp_path / '.lock', 'w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match='another command is running'):
            run_plan(plan, 1, tmp_path, tmp_path / 'x', Console(quiet=True))


def test_only_what_is_running_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else the watch over many runs takes a core away from them.
    plan = read_plan(begun_plan(tmp_path, 4))
    names = [run.name for run in plan.runs()]
    read, polls = list[str](), 5

    def start(run: Run, parent: Path) -> Job:
        alive = [*[True] * (polls - 1), False]
        process = Mock(**{'is_alive.side_effect': alive + [False] * 9})
        return Job(run, parent / run.name, process)

    def done(folder: Path, metric: str) -> int:
        read.append(folder.name)
        return 10

    monkeypatch.setattr(running, 'POLL_SECONDS', 0)
    monkeypatch.setattr(running, '_start', start)
    monkeypatch.setattr(running, '_finish', lambda *_: '')
    monkeypatch.setattr(running, 'epochs_done', done)
    lengths = Mock(side_effect=running.epochs_of)
    monkeypatch.setattr(running, 'epochs_of', lengths)
    console = Console(quiet=True)
    run_plan(plan, 1, tmp_path / 'work', tmp_path / 'none.jsonl', console)
    assert read == names + [name for name in names for _ in range(polls)]
    assert lengths.call_count == len(plan.arms)


def test_a_recipe_by_iterations(tmp_path: Path) -> None:
    path = begun_plan(tmp_path, 0)
    schedule = 'train_cfg = dict(type="IterBasedTrainLoop", max_iters=10)'
    (tmp_path / 'recipe.py').write_text(f'{RECIPE}\n{schedule}\n')
    records, console = tmp_path / 'none.jsonl', Console(quiet=True)
    with pytest.raises(UsageError, match=r'by iterations, .* max_epochs'):
        run_plan(read_plan(path), 1, tmp_path / 'work', records, console)


@pytest.mark.parametrize(('seconds', 'code'), [(0, 0), (600, -signal.SIGTERM)])
def test_an_ended_run_and_a_halted_one_are_stopped(
    seconds: int, code: int
) -> None:
    process = get_context('spawn').Process(target=time.sleep, args=(seconds,))
    process.start()
    if seconds:
        os.kill(process.pid, signal.SIGSTOP)
    else:
        process.join()
    _stop(Job(Mock(), Path(), process))
    assert process.exitcode == code


def test_a_run_that_another_recipe_began(tmp_path: Path) -> None:
    plan = read_plan(begun_plan(tmp_path, 0))
    run = next(iter(plan.runs()))
    folder = tmp_path / run.name
    folder.mkdir()
    (folder / 'epoch_1.pth').touch()
    check_begun(run, folder)
    (folder / FINGERPRINT).write_text(fingerprint(make_config(run, folder)))
    check_begun(run, folder)
    recipe = tmp_path / 'recipe.py'
    recipe.write_text(recipe.read_text().replace('epochs=10', 'epochs=9'))
    with pytest.raises(UsageError, match='begun by another recipe'):
        check_begun(run, folder)


def test_a_recipe_edited_while_a_plan_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = read_plan(begun_plan(tmp_path, 10))
    recipe, work = tmp_path / 'recipe.py', tmp_path / 'work'
    before = fingerprint(make_config(next(plan.runs()), work))

    def edit() -> None:
        text = recipe.read_text()
        recipe.write_text(text.replace('epochs=10', 'epochs=9'))

    ended = Mock(exitcode=0, start=edit, is_alive=lambda: False)
    context = Mock(Process=Mock(return_value=ended))
    monkeypatch.setattr(running, 'get_context', lambda kind: context)
    monkeypatch.setattr(running, 'POLL_SECONDS', 0)
    records = tmp_path / 'records.jsonl'
    with pytest.raises(UsageError, match='by another recipe than'):
        run_plan(plan, 1, work, records, Console(quiet=True))
    (record,) = read_records(records)
    assert record['recipe'] == before


def test_a_config_edited_while_a_begun_run_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = read_plan(begun_plan(tmp_path, 0))
    for run in plan.runs():
        folder = tmp_path / run.name
        folder.mkdir()
        (folder / 'epoch_1.pth').touch()
        cfg = make_config(run, folder)
        (folder / FINGERPRINT).write_text(fingerprint(cfg))
    started = []

    def start(run: Run, parent: Path) -> Job:
        started.append(run.name)
        recipe = tmp_path / 'recipe.py'
        recipe.write_text(f'{recipe.read_text()}\noptim_wrapper = dict(x=1)\n')
        return Job(run, parent, Mock())

    monkeypatch.setattr(running, '_start', start)
    monkeypatch.setattr(running, '_stop', Mock())
    with pytest.raises(UsageError, match='begun by another recipe'):
        run_plan(plan, 2, tmp_path, tmp_path / 'none.jsonl', Console())
    assert started == ['plain_s3']
