"""The set-up of .venv, with a stand-in for Python and pip."""

import importlib
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parents[1] / 'tools'

# Answers as bootstrap.py expects a Python to; notes each pip install.
FAKE_PYTHON = """#!/bin/sh
root={root}
case "$1 $2 $3" in
    "-c "*) echo {version} yes ;;
    "-m venv "*)
        mkdir -p "$3/bin" && cp "$root/fake" "$3/bin/python"
        echo "version = {version}" > "$3/pyvenv.cfg" ;;
    "-m pip install")
        echo "TMPDIR=$TMPDIR PYTHONPATH=$PYTHONPATH $*" >> "$root/calls"
        {action} ;;
esac
"""
OFFLINE = """WARNING: Retrying (Retry(total=0)) after connection broken by
'NewConnectionError: [Errno -3] Temporary failure in name resolution'
ERROR: Could not find a version that satisfies torch (from versions: none)
ERROR: No matching distribution found for torch==2.12.1"""


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module('bootstrap')


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / 'requirements').mkdir()
    (tmp_path / 'requirements' / 'torch.txt').write_text('torch==2.12.1\n')
    (tmp_path / 'setup.py').write_text('')
    shutil.copytree(TOOLS, tmp_path / 'tools')
    write_fake(tmp_path)
    return tmp_path


@pytest.fixture
def setup(
    bootstrap: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """A function that runs the set-up of the checkout with the fake."""
    python = bootstrap.probe(str(checkout / 'fake'))
    monkeypatch.setattr(bootstrap, 'find_python', lambda: python)
    monkeypatch.setattr(bootstrap, 'FRESH_GB', 0)
    return lambda: bootstrap.Bootstrap(checkout).ensure()


def write_fake(
    root: Path, action: str = 'true', version: str = '3.11.7'
) -> None:
    text = FAKE_PYTHON.format(root=root, action=action, version=version)
    (root / 'fake').write_text(text)
    (root / 'fake').chmod(0o755)


def calls(root: Path) -> list[str]:
    file = root / 'calls'
    return file.read_text().splitlines() if file.exists() else []


def test_little_disk(
    bootstrap: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(
        shutil, 'disk_usage', lambda path: usage(9e9, 6e9, 3.2e9)
    )
    with pytest.raises(bootstrap.SetupError, match=r'3\.2 GB .* 8 GB'):
        bootstrap.Bootstrap(checkout).ensure()
    assert not (checkout / '.venv').exists()


def test_second_run_does_nothing(
    setup: Callable[[], None],
    checkout: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    setup()
    said = capsys.readouterr().out
    assert 'Creating .venv with Python 3.11.7' in said and 'ready' in said
    first = calls(checkout)
    assert len(first) == 2
    assert all(
        f'-r {checkout}/requirements/{name}.txt' in first[0]
        for name in ('torch', 'onedl', 'quickstart', 'dev')
    )
    assert '--no-deps --no-build-isolation -e' in first[1]
    start = time.perf_counter()
    setup()
    assert time.perf_counter() - start < 0.5
    assert calls(checkout) == first
    assert not capsys.readouterr().out


@pytest.mark.parametrize('file', ['requirements/torch.txt', 'setup.py'])
def test_changed_input_installs_again(
    setup: Callable[[], None], checkout: Path, file: str
) -> None:
    setup()
    (checkout / file).write_text('# changed\n')
    setup()
    assert len(calls(checkout)) == 4


def test_the_other_family(
    setup: Callable[[], None],
    bootstrap: ModuleType,
    checkout: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = bootstrap.Bootstrap(checkout, 'openmmlab')
    other.ensure()
    said = capsys.readouterr().out
    assert 'Creating .venv-openmmlab' in said and 'Linked' not in said
    assert '/requirements/openmmlab.txt' in calls(checkout)[0]
    assert 'onedl.txt' not in calls(checkout)[0]
    # Beside a complete .venv it takes the packages from there.
    setup()
    other.stamp.unlink()
    assert other.lender() == checkout / '.venv'
    capsys.readouterr()
    other.ensure()
    assert 'Linked 0 packages from .venv.' in capsys.readouterr().out


@pytest.mark.parametrize('name', ['openmmlab', 'unrelated'])
def test_files_of_others_change_nothing(
    setup: Callable[[], None], checkout: Path, name: str
) -> None:
    setup()
    (checkout / f'requirements/{name}.txt').write_text('')
    setup()
    assert len(calls(checkout)) == 2


def test_pip_gets_no_misleading_variables(
    setup: Callable[[], None], checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('PYTHONPATH', '/elsewhere')
    setup()
    assert f'TMPDIR={checkout}/.venv/tmp PYTHONPATH= ' in calls(checkout)[0]
    assert not (checkout / '.venv' / 'tmp').exists()


def test_no_network_then_network(
    setup: Callable[[], None],
    bootstrap: ModuleType,
    checkout: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (checkout / 'offline').write_text(OFFLINE)
    write_fake(checkout, 'cat "$root/offline"; exit 1')
    with pytest.raises(bootstrap.SetupError, match='No network'):
        setup()
    assert 'name resolution' in capsys.readouterr().err
    assert not (checkout / '.venv' / 'bootstrap.stamp').exists()
    write_fake(checkout)
    shutil.copy(checkout / 'fake', checkout / '.venv' / 'bin' / 'python')
    setup()
    assert (checkout / '.venv' / 'bootstrap.stamp').exists()


def test_half_installed_packages_are_removed(
    setup: Callable[[], None], checkout: Path
) -> None:
    setup()
    site = checkout / '.venv' / 'lib' / 'python3.11' / 'site-packages'
    for name in ('half-1.dist-info', '~orch', 'whole-1.dist-info', 'torch'):
        (site / name).mkdir(parents=True)
    (site / 'whole-1.dist-info' / 'RECORD').write_text('')
    (checkout / 'setup.py').write_text('# changed\n')
    setup()
    left = {path.name for path in site.iterdir()}
    assert left == {'whole-1.dist-info', 'torch'}


def test_unfinished_environment_is_rebuilt(
    setup: Callable[[], None], checkout: Path
) -> None:
    setup()
    (checkout / '.venv' / 'bin' / 'python').unlink()
    setup()
    assert len(calls(checkout)) == 4


@pytest.mark.parametrize('version', ['3.9.2', None])
def test_foreign_environment_is_left_alone(
    setup: Callable[[], None],
    bootstrap: ModuleType,
    checkout: Path,
    version: str | None,
) -> None:
    setup()
    (checkout / '.venv' / 'bootstrap.mark').unlink()
    (checkout / '.venv' / 'bootstrap.stamp').unlink()
    python = checkout / '.venv' / 'bin' / 'python'
    python.unlink()
    if version:
        write_fake(checkout, version=version)
        shutil.copy(checkout / 'fake', python)
    with pytest.raises(bootstrap.SetupError, match=version or 'is broken'):
        setup()
    assert (checkout / '.venv' / 'pyvenv.cfg').exists()


def test_foreign_environment_that_fits_is_reused(
    setup: Callable[[], None],
    checkout: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (checkout / '.venv' / 'bin').mkdir(parents=True)
    shutil.copy(checkout / 'fake', checkout / '.venv' / 'bin' / 'python')
    setup()
    assert 'Reusing .venv' in capsys.readouterr().out


def test_two_at_once(setup: Callable[[], None], checkout: Path) -> None:
    setup()
    (checkout / '.venv' / 'bootstrap.stamp').unlink()
    (checkout / 'calls').unlink()
    write_fake(checkout, 'sleep 1')
    shutil.copy(checkout / 'fake', checkout / '.venv' / 'bin' / 'python')
    # The interpreter's own check of the disk is real in this test.
    script = checkout / 'tools' / 'bootstrap.py'
    text = script.read_text().replace('FRESH_GB = 8.0', 'FRESH_GB = 0.0')
    script.write_text(text)
    runs = [
        subprocess.Popen(
            [sys.executable, str(script)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert sum('waiting' in text for text in said) == 1
    assert len(calls(checkout)) == 2


def test_main_reports_errors(
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(self: object) -> None:
        raise bootstrap.SetupError('the value and the remedy')

    monkeypatch.setattr(bootstrap.Bootstrap, 'ensure', fail)
    assert bootstrap.main([]) == 1
    assert capsys.readouterr().err == 'error: the value and the remedy\n'
