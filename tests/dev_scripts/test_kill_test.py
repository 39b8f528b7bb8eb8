"""The short form of the kill test."""

import json
from pathlib import Path

import pytest
import torch

import kill_test
from tests.processes import run_python

REPO = Path(__file__).resolve().parents[2]


def run(*options: str) -> list[dict]:
    """Run it as a program, which may fork; return its records."""
    *options, out = options
    program = '.dev_scripts/kill_test.py'
    done = run_python(program, *options, '--out', out, cwd=REPO)
    assert done.returncode == 0, done.stdout + done.stderr
    records: list[dict] = json.loads(Path(out).read_text())
    return records


def test_killed_inside_the_write(tmp_path: Path) -> None:
    kinds = ('--runs', '1', '--kinds', 'inside the write')
    (record,) = run(*kinds, str(tmp_path / 'out.json'))
    assert record['kind'] == 'inside the write'
    assert record['outcome'] == 'same bits'


@pytest.mark.slow
@pytest.mark.parametrize('processes', ['1', '2'])
def test_all_kinds(processes: str, tmp_path: Path) -> None:
    options = ('--runs', '8', '--processes', processes)
    records = run(*options, str(tmp_path / 'out.json'))
    assert {record['kind'] for record in records} == set(kill_test.KINDS)
    assert all(record['outcome'] == 'same bits' for record in records)


def test_other_weights_are_noticed() -> None:
    one, other = (
        dict(
            state_dict=dict(x=torch.tensor(value)),
            ema_state_dict={},
            optimizer=dict(state={}),
        )
        for value in (1.0, 1.0 + 2**-23)
    )
    assert kill_test.compare(one, one) == kill_test.SAME
    assert kill_test.compare(one, other) == kill_test.OTHER
    assert kill_test.compare('Killed', other) == kill_test.LOST
