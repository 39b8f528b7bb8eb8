import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip('mmpretrain')
pytest.importorskip('sklearn')

from tests.processes import wait_for
from tests.tools.helpers import TOOLS, run_tool, write_digits_config

PLAN = """
title = 'Digits'
config = {config!r}
arms = dict(
    plain=dict(title='plain'),
    mlfm=dict(
        title='MLFM',
        overrides={{'model.neck': dict(type='mlfm_mm.MLFMNeck')}},
    ),
)
baselines = ['plain']
seeds = [0]
metric = 'accuracy/top1'
"""
EPOCHS = 'train_cfg = dict(max_epochs=40)\n'


def write_plan(folder: Path, more: str = '') -> Path:
    config = write_digits_config(folder)
    config.write_text(config.read_text() + more)
    path = folder / 'digits.py'
    path.write_text(PLAN.format(config=config.name))
    return path


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_runs_once_and_side_by_side(tmp_path: Path) -> None:
    options = [write_plan(tmp_path), '--results', tmp_path / 'results']
    printed = run_tool('evidence.py', *options, '--jobs', 2, cwd=tmp_path)
    assert '0 of 2 runs done' in printed and 'minutes left' in printed
    records = read(tmp_path / 'results' / 'digits.jsonl')
    assert {r['arm'] for r in records} == {'plain', 'mlfm'}
    for record in records:
        assert 0 <= record['final'] == record['by_epoch']['1'] <= 100
        assert record['seconds'] > 0  # its recipe asks for no times
        folder = tmp_path / 'work_dirs/evidence/digits' / f'{record["arm"]}_s0'
        assert (folder / 'epoch_1.pth').is_file()
    again = run_tool('evidence.py', *options, cwd=tmp_path)
    assert '2 of 2 runs done' in again and 'start' not in again
    assert read(tmp_path / 'results' / 'digits.jsonl') == records


@pytest.mark.slow
def test_pauses_and_resumes(tmp_path: Path) -> None:
    options = [str(write_plan(tmp_path, EPOCHS)), '--results', str(tmp_path)]
    folder = tmp_path / 'work_dirs/evidence/digits'
    command = [sys.executable, str(TOOLS / 'evidence.py'), *options]
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    try:
        wait_for(lambda: list(folder.glob('plain_s0/epoch_*.pth')))
        os.killpg(process.pid, signal.SIGSTOP)
        held = run_tool('evidence.py', *options, cwd=tmp_path, fails=True)
        assert 'another command is running this plan' in held
        assert states(process.pid) == {'T'}
    finally:
        os.killpg(process.pid, signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        process.wait()
    wait_for(lambda: not states(process.pid))
    assert not (tmp_path / 'digits.jsonl').exists()
    run_tool('evidence.py', *options, cwd=tmp_path)
    plain, mlfm = read(tmp_path / 'digits.jsonl')
    assert len(plain['by_epoch']) == len(mlfm['by_epoch']) == 40
    log = (folder / 'plain_s0' / 'console.log').read_text()
    assert 'resumed epoch' in log


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != 'linux', reason='as with launchers')
def test_a_run_ends_with_a_command_that_is_killed(tmp_path: Path) -> None:
    options = [str(write_plan(tmp_path, EPOCHS)), '--results', str(tmp_path)]
    command = [sys.executable, str(TOOLS / 'evidence.py'), *options]
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    try:
        folder = tmp_path / 'work_dirs/evidence/digits/plain_s0'
        wait_for(lambda: list(folder.glob('epoch_*.pth')))
        process.kill()
        process.wait()
        # Not by itself, after all epochs.
        wait_for(lambda: not states(process.pid))
        assert not (folder / 'epoch_40.pth').exists()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def states(group: int) -> set[str]:
    """Read the states of a group's processes."""
    found = set()
    for file in Path('/proc').glob('[0-9]*/stat'):
        with suppress(OSError):
            state, _, leader = file.read_text().rpartition(')')[2].split()[:3]
            if int(leader) == group:
                found.add(state)
    return found


def test_a_run_that_fails(tmp_path: Path) -> None:
    plan = write_plan(tmp_path, "custom_hooks = [dict(type='Nothing')]\n")
    printed = run_tool(
        'evidence.py', plan, '--results', tmp_path, cwd=tmp_path, fails=True
    )
    assert 'plain_s0 failed' in printed and 'console.log' in printed
