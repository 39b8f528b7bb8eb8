from pathlib import Path

from mlfm_mm.engine.run_lock import lock
from tests.processes import run_python

PROGRAM = """
import sys
from pathlib import Path
from mlfm_mm.engine.run_lock import lock
lock(Path(sys.argv[1]))
"""


def test_a_folder_has_one_run(tmp_path: Path) -> None:
    program = tmp_path / 'program.py'
    program.write_text(PROGRAM)
    first = run_python(program, tmp_path / 'run', cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    lock(tmp_path / 'run')  # which the first has left
    lock(tmp_path / 'run')  # the next run of the same process
    second = run_python(program, tmp_path / 'run', cwd=tmp_path)
    assert f'another run writes to {tmp_path / "run"}' in second.stderr
    other = run_python(program, tmp_path / 'other', cwd=tmp_path)
    assert other.returncode == 0, other.stderr


def test_a_disk_that_takes_no_file(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    lock(tmp_path / 'file' / 'run')
