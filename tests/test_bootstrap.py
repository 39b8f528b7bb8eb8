"""The set-up of an environment, with a stand-in for Python, uv and pip."""

import ast
import importlib.util
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / '.dev_scripts/bootstrap.py'
# Answers as bootstrap.py expects a Python to; notes what it installs.
FAKE_PYTHON = """#!/bin/sh
root={root}
case "$*" in
    "-c "*) echo {version} ;;
    "-m venv "*)
        mkdir -p "$3/bin" && cp "$root/fake" "$3/bin/python"
        echo "version = {version}" > "$3/pyvenv.cfg" ;;
    *) echo "PYTHONPATH=$PYTHONPATH $*" >> "$root/calls" ;;
esac
case "$*" in {failing}) echo "No space left on device" >&2; exit 1 ;; esac
"""
UV, UV_ITSELF, PIP = '-m uv pip', 'requirements/uv.txt', '-m pip'


def write_fake(
    root: Path, failing: str = 'nothing', version: str = '3.11.7'
) -> Path:
    fake = root / 'fake'
    text = FAKE_PYTHON.format(root=root, failing=failing, version=version)
    fake.write_text(text)
    fake.chmod(0o755)
    return fake


def calls(root: Path) -> list[str]:
    file = root / 'calls'
    return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location('bootstrap', SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / 'requirements').mkdir()
    (tmp_path / 'requirements' / 'torch.txt').write_text('torch==2.12.1\n')
    (tmp_path / 'setup.py').write_text('')
    write_fake(tmp_path)
    return tmp_path


@pytest.fixture
def set_up(
    bootstrap: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """A function that sets the checkout up with the fake."""
    monkeypatch.setattr(bootstrap, 'FRESH_GB', 0)
    monkeypatch.setattr(bootstrap, 'UPDATE_GB', 0)
    monkeypatch.setattr(sys, 'executable', str(checkout / 'fake'))
    return lambda name='onedl': bootstrap.Bootstrap(name, checkout).ensure()


def test_any_python_3_can_start_it() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_second_run_does_nothing(
    set_up: Callable[..., None],
    checkout: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up()
    said = capsys.readouterr().out
    assert 'Creating .venv with Python 3.11.7' in said and 'ready' in said
    first = calls(checkout)
    wanted = (UV_ITSELF, UV, '--no-deps --no-build-isolation -e .')
    assert all(map(str.__contains__, first, wanted)) and len(first) == 3
    for name in ('torch', 'onedl', 'quickstart', 'dev'):
        assert f'-r requirements/{name}.txt' in first[1]
    set_up()
    assert calls(checkout) == first and not capsys.readouterr().out


@pytest.mark.parametrize('file', ['requirements/torch.txt', 'setup.py'])
def test_changed_input_completes_it(
    set_up: Callable[..., None], checkout: Path, file: str
) -> None:
    set_up()
    kept = checkout / '.venv' / 'kept'
    kept.touch()
    (checkout / file).write_text('# changed\n')
    set_up()
    assert len(calls(checkout)) == 6 and kept.exists()


def test_input_of_others_changes_nothing(
    set_up: Callable[..., None], checkout: Path
) -> None:
    set_up()
    (checkout / 'requirements/openmmlab.txt').write_text('')
    set_up()
    assert len(calls(checkout)) == 3


def test_the_other_family(set_up: Callable[..., None], checkout: Path) -> None:
    set_up('openmmlab')
    assert (checkout / '.venv-openmmlab' / 'bootstrap.stamp').exists()
    assert '-r requirements/openmmlab.txt' in calls(checkout)[1]
    assert 'onedl.txt' not in calls(checkout)[1]


def test_no_misleading_variables(
    set_up: Callable[..., None],
    checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('PYTHONPATH', '/elsewhere')
    set_up()
    assert all(call.startswith('PYTHONPATH= ') for call in calls(checkout))


@pytest.mark.parametrize('failing', [UV, UV_ITSELF])
def test_pip_where_uv_cannot(
    set_up: Callable[..., None],
    checkout: Path,
    failing: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_fake(checkout, f'*"{failing}"*')
    set_up()
    assert 'now by pip' in capsys.readouterr().out
    by_pip = calls(checkout)[-2]
    assert PIP in by_pip and '-r requirements/onedl.txt' in by_pip


def test_interrupted_set_up_is_made_anew(
    set_up: Callable[..., None],
    bootstrap: ModuleType,
    checkout: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    write_fake(checkout, '*install*')
    with pytest.raises(bootstrap.SetupError, match=r'a full disk.*again'):
        set_up()
    assert 'No space left' in capfd.readouterr().err
    half = checkout / '.venv' / 'half'
    half.touch()
    write_fake(checkout)
    set_up()
    assert not half.exists() and (checkout / '.venv/bootstrap.stamp').exists()


def test_little_disk(
    bootstrap: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple('usage', 'total used free')(9e9, 6e9, 3.2e9)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage)
    with pytest.raises(bootstrap.SetupError, match=r'3\.2 GB .* 8 GB'):
        bootstrap.Bootstrap('onedl', checkout).ensure()
    assert not (checkout / '.venv').exists()


def test_wrong_python(
    set_up: Callable[..., None],
    bootstrap: ModuleType,
    checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = write_fake(checkout, version='3.9.13')
    monkeypatch.setattr(shutil, 'which', lambda name: None)
    with pytest.raises(bootstrap.SetupError) as error:
        set_up()
    for part in ('3.9.13', str(fake), '3.11, 3.12 or 3.13', 'PYTHON='):
        assert part in str(error.value)
    # Another one on the PATH does; a name alone proves nothing.
    newer = write_fake(checkout).rename(checkout / 'python3.13')
    write_fake(checkout, '*', version='3.9.13')
    found = {'python3.12': str(fake), 'python3.13': str(newer)}
    monkeypatch.setattr(shutil, 'which', found.get)
    assert bootstrap.version_of(str(fake)) is None
    assert bootstrap.Bootstrap('onedl', checkout).find_python() == str(newer)


@pytest.mark.parametrize('version', ['3.9.2', None])
def test_environment_of_another_is_left_alone(
    set_up: Callable[..., None],
    bootstrap: ModuleType,
    checkout: Path,
    version: str | None,
) -> None:
    binaries = checkout / '.venv' / 'bin'
    binaries.mkdir(parents=True)
    if version:
        write_fake(checkout, version=version).rename(binaries / 'python')
    with pytest.raises(bootstrap.SetupError, match=version or 'is broken'):
        set_up()
    assert binaries.exists()


def test_environment_of_another_that_suits_is_completed(
    set_up: Callable[..., None],
    bootstrap: ModuleType,
    checkout: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    binaries = checkout / '.venv' / 'bin'
    binaries.mkdir(parents=True)
    python = write_fake(checkout, '*install*').rename(binaries / 'python')
    # Not even an interruption makes it ours.
    with pytest.raises(bootstrap.SetupError):
        set_up()
    shutil.copy(write_fake(checkout), python)
    (checkout / '.venv' / 'theirs').touch()
    set_up()
    assert 'Completing .venv' in capsys.readouterr().out
    assert (checkout / '.venv' / 'theirs').exists()


def test_two_at_once(set_up: Callable[..., None], checkout: Path) -> None:
    set_up()
    (checkout / '.venv' / 'bootstrap.stamp').write_text('old')
    (checkout / 'calls').unlink()
    slow = (
        (checkout / 'fake').read_text().replace('*) echo', '*) sleep 1; echo')
    )
    (checkout / '.venv' / 'bin' / 'python').write_text(slow)
    (checkout / '.dev_scripts').mkdir()
    script = shutil.copy(SCRIPT, checkout / '.dev_scripts')
    # The disk is the real one in this test.
    text = SCRIPT.read_text().replace('= 8.0, 2.0', '= 0.0, 0.0')
    Path(script).write_text(text)
    python = Path(sys.base_prefix) / 'bin' / 'python3'
    runs = [
        subprocess.Popen([python, script], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert sum('waiting' in text for text in said) == 1
    assert len(calls(checkout)) == 3


def test_main_reports_errors(
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(self: object) -> None:
        raise bootstrap.SetupError('the value and the remedy')

    monkeypatch.setattr(bootstrap.Bootstrap, 'ensure', fail)
    assert bootstrap.main() == 1
    assert capsys.readouterr().err == 'error: the value and the remedy\n'
