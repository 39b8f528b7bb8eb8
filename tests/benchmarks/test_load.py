import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.load import busy, others_running


def test_what_this_program_did_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = iter(['9.00 5.00 1.00 3/210 77\n', '9.00 5.00 1.00 1/210 77\n'])
    monkeypatch.setattr('benchmarks.load.SAMPLES', 2)
    monkeypatch.setattr(Path, 'read_text', lambda self: next(texts))
    assert others_running() == 1.0


def test_another_program_counts() -> None:
    code = 'import time\nwhile time.process_time() < 10: pass'
    with subprocess.Popen([sys.executable, '-c', code]) as other:
        time.sleep(0.5)
        found = others_running()
        other.kill()
    assert found > 0.4


def test_a_system_that_does_not_tell_is_asked_for_its_average(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('os.getloadavg', lambda: (2.5, 1.0, 1.0))
    monkeypatch.setattr(Path, 'read_text', _absent)
    assert others_running() == 2.5


def test_a_busy_machine_is_told() -> None:
    assert busy(dict(load=0.0, cores=2)) is None
    assert 'Measure again' in busy(dict(load=99.0, cores=2))


def _absent(path: Path) -> str:
    raise FileNotFoundError(path)
