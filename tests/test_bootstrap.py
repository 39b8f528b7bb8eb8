"""The set-up of an environment, with a stand-in for Python, uv and pip."""

import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
SCRIPT = '.dev_scripts/bootstrap.py'
FILES = ('Makefile', 'pyproject.toml', 'setup.py', 'mlfm_mm/version.py')
# Answers as the Makefile and bootstrap.py expect a Python to, the script as
# if it ran it; notes what it installs.
FAKE_PYTHON = """#!/bin/sh
root={root}
case "$*" in
    "-u "*) shift; exec {sys.executable} -c "import runpy, sys
sys.executable = sys.argv.pop(1)
script = sys.argv.pop(1)
runpy.run_path(script, run_name='__main__')" "$0" "$@" ;;
    "-c "*) echo {version} ;;
    "-m venv "*)
        mkdir -p "$3/bin" && cp "$root/fake" "$3/bin/python" ;;
    *) touch "$root/begun"; sleep {seconds}
        echo "PYTHONPATH=$PYTHONPATH at $UV_DEFAULT_INDEX: $*" \
            >> "$root/calls" ;;
esac
case "$*" in {failing}) echo "No space left on device" >&2; exit 1 ;; esac
"""
UV, UV_ITSELF, PIP = '-m uv pip', 'requirements/uv.txt', '-m pip'


def write_fake(
    root: Path,
    failing: str = 'nothing',
    version: str = '3.11.7',
    seconds: float = 0,
) -> Path:
    fake = root / 'fake'
    fake.write_text(FAKE_PYTHON.format(sys=sys, **locals()))
    fake.chmod(0o755)
    return fake


def calls(root: Path) -> list[str]:
    file = root / 'calls'
    return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / 'checkout'
    shutil.copytree(REPO / 'requirements', root / 'requirements')
    for folder in ('.dev_scripts', 'mlfm_mm'):
        (root / folder).mkdir()
    for file in FILES:
        shutil.copy(REPO / file, root / file)
    # However little room the disk of the tests has.
    script = (REPO / SCRIPT).read_text().replace('= 8.0', '= 0.0')
    (root / SCRIPT).write_text(script)
    write_fake(root)
    return root


def start(*command: str | Path, **env: str) -> 'subprocess.Popen[str]':
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Also where `make test` runs the tests.
        env=os.environ | {'MAKEFLAGS': ''} | env,
        text=True,
    )


def start_make(
    checkout: Path,
    target: str = 'venv',
    python: Path | str = '',
    **env: str,
) -> 'subprocess.Popen[str]':
    make = shutil.which('make') or pytest.skip('There is no make.')
    python = python or checkout / 'fake'
    folder = ('--no-print-directory', '-C', checkout)
    return start(make, *folder, target, f'PYTHON={python}', **env)


def bare_path(root: Path) -> Path:
    """A PATH without a Python, with what the stand-in needs."""
    path = root / 'path'
    path.mkdir()
    for tool in ('env', 'mkdir', 'cp', 'sleep', 'touch'):
        (path / tool).symlink_to(str(shutil.which(tool)))
    return path


def set_up(
    checkout: Path,
    target: str = 'venv',
    python: Path | str = '',
    fails: bool = False,
    **env: str,
) -> str:
    """Set up an environment, and give what was said."""
    run = start_make(checkout, target, python, **env)
    said, _ = run.communicate(timeout=60)
    assert bool(run.returncode) == fails, said
    return said


def test_any_python_3_can_start_it() -> None:
    ast.parse((REPO / SCRIPT).read_text(), feature_version=(3, 6))


def test_second_run_does_nothing(checkout: Path) -> None:
    said = set_up(checkout)
    assert 'Creating .venv with Python 3.11.7' in said and 'ready' in said
    first = calls(checkout)
    wanted = (UV_ITSELF, UV, '--no-deps --no-build-isolation -e .')
    assert all(map(str.__contains__, first, wanted)) and len(first) == 3
    for name in ('torch', 'onedl', 'quickstart', 'dev'):
        assert f'-rrequirements/{name}.txt' in first[1]
    assert not set_up(checkout) and calls(checkout) == first


@pytest.mark.parametrize('file', ['requirements/torch.txt', 'setup.py'])
def test_changed_input_completes_it(checkout: Path, file: str) -> None:
    set_up(checkout)
    kept = checkout / '.venv' / 'kept'
    kept.touch()
    (checkout / file).write_text('# changed\n')
    set_up(checkout)
    assert len(calls(checkout)) == 6 and kept.exists()


def test_input_of_others_changes_nothing(checkout: Path) -> None:
    set_up(checkout)
    (checkout / 'requirements/openmmlab.txt').write_text('')
    assert not set_up(checkout)


def test_the_other_family(checkout: Path) -> None:
    set_up(checkout, 'test-openmmlab')
    assert (checkout / '.venv-openmmlab' / 'bootstrap.stamp').exists()
    assert '-rrequirements/openmmlab.txt' in calls(checkout)[1]
    assert 'onedl.txt' not in calls(checkout)[1]


def test_settings_that_mislead_and_a_mirror(checkout: Path) -> None:
    set_up(checkout, PYTHONPATH='/elsewhere', PIP_INDEX_URL='mirror')
    assert all(c.startswith('PYTHONPATH= at mirror') for c in calls(checkout))


@pytest.mark.parametrize('failing', [UV, UV_ITSELF])
def test_pip_where_uv_cannot(checkout: Path, failing: str) -> None:
    write_fake(checkout, f'*"{failing}"*')
    assert 'now by pip' in set_up(checkout)
    by_pip = calls(checkout)[-2]
    assert PIP in by_pip and '-rrequirements/onedl.txt' in by_pip


def test_interrupted_set_up_is_made_anew(checkout: Path) -> None:
    write_fake(checkout, '*install*')
    said = set_up(checkout, fails=True)
    assert 'No space left' in said and 'error: The set-up failed' in said
    assert 'a full disk' in said and 'run the command again' in said
    half = checkout / '.venv' / 'half'
    half.touch()
    write_fake(checkout)
    set_up(checkout)
    assert not half.exists() and (checkout / '.venv/bootstrap.stamp').exists()


def test_little_disk(checkout: Path) -> None:
    script = (REPO / SCRIPT).read_text().replace('= 8.0', '= 1e6')
    (checkout / SCRIPT).write_text(script)
    said = set_up(checkout, fails=True)
    assert said.startswith('error: Only ') and '1000000 GB' in said
    assert not (checkout / '.venv').exists()


def test_wrong_python(checkout: Path) -> None:
    fake = write_fake(checkout, version='3.9.13')
    path = bare_path(checkout)
    said = set_up(checkout, fails=True, PATH=str(path))
    for part in ('3.9.13', str(fake), '3.11, 3.12 or 3.13', 'PYTHON='):
        assert part in said
    # Another one on the PATH does; a name alone proves nothing.
    write_fake(checkout, '*', version='3.12.1').rename(path / 'python3.12')
    write_fake(checkout, version='3.13.2').rename(path / 'python3.13')
    write_fake(checkout, version='3.9.13')
    assert 'with Python 3.13.2' in set_up(checkout, PATH=str(path))


def test_python_without_venv(checkout: Path) -> None:
    write_fake(checkout, '*ensurepip*')
    said = set_up(checkout, fails=True, PATH=str(bare_path(checkout)))
    assert 'error: Found Python 3.11.7' in said
    assert 'venv and ensurepip' in said and 'apt install python3-venv' in said
    assert not (checkout / '.venv').exists()


def test_no_python(checkout: Path) -> None:
    said = set_up(checkout, python='python-nowhere', fails=True)
    assert 'No "python-nowhere" was found: install Python 3.11' in said


def test_environment_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    set_up(checkout)
    (checkout / '.venv' / 'kept').touch()
    (checkout / '.venv/bin/python').unlink()
    (checkout / '.venv/bin/python').symlink_to('gone')
    assert 'Creating .venv' in set_up(checkout)
    assert not (checkout / '.venv' / 'kept').exists()


def test_active_environment_is_made_anew(checkout: Path) -> None:
    """By the Python it was made with: its own goes with it."""
    write_fake(checkout, '*install*')
    set_up(checkout, fails=True)
    python = checkout / '.venv/bin/python'
    python.unlink()
    python.symlink_to(write_fake(checkout))
    said = set_up(checkout, python=python, PATH=f'{python.parent}:/usr/bin')
    assert 'Creating .venv' in said and '.venv is ready' in said


def test_moved_checkout_is_completed(checkout: Path, tmp_path: Path) -> None:
    """Its environment still names the old place."""
    set_up(checkout)
    moved = checkout.rename(tmp_path / 'moved')
    write_fake(moved)
    shutil.copy(moved / 'fake', moved / '.venv/bin/python')
    assert 'Completing .venv' in set_up(moved) and len(calls(moved)) == 6


@pytest.mark.parametrize('version', ['3.9.2', None])
def test_environment_of_another_is_left_alone(
    checkout: Path, version: str | None
) -> None:
    binaries = checkout / '.venv' / 'bin'
    binaries.mkdir(parents=True)
    if version:
        write_fake(checkout, version=version).rename(binaries / 'python')
        write_fake(checkout)
    said = set_up(checkout, fails=True)
    assert (version or 'is broken') in said and 'rename it' in said
    assert binaries.exists()


def test_environment_of_another_that_suits_is_completed(
    checkout: Path,
) -> None:
    binaries = checkout / '.venv' / 'bin'
    binaries.mkdir(parents=True)
    python = write_fake(checkout, '*install*').rename(binaries / 'python')
    # Not even an interruption makes it ours.
    set_up(checkout, fails=True)
    write_fake(checkout).rename(python)
    write_fake(checkout)
    (checkout / '.venv' / 'theirs').touch()
    assert 'Completing .venv' in set_up(checkout)
    assert (checkout / '.venv' / 'theirs').exists()


def test_two_at_once(checkout: Path) -> None:
    write_fake(checkout, seconds=0.3)
    runs = [start_make(checkout) for _ in range(2)]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert sum('waiting' in text for text in said) == 1
    assert len(calls(checkout)) == 3


def test_the_lock_outlives_a_kill(checkout: Path) -> None:
    write_fake(checkout, seconds=1)
    # Not make itself, which would leave the script alive.
    script = ('-u', checkout / SCRIPT, '.venv', 'Python 3.11', 'torch')
    killed = start(checkout / 'fake', *script)
    while not (checkout / 'begun').exists():
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    assert 'waiting' in set_up(checkout)
