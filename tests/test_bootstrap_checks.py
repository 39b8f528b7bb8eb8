"""What bootstrap.py finds missing, and what it says about it."""

import ast
import importlib
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TOOLS = Path(__file__).resolve().parents[1] / 'tools'
SCRIPTS = ('bootstrap.py', 'bootstrap_checks.py', 'bootstrap_packages.py')


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module('bootstrap_checks')


@pytest.mark.parametrize('name', SCRIPTS)
def test_any_python_3_can_start_it(name: str) -> None:
    ast.parse((TOOLS / name).read_text(), feature_version=(3, 6))


def test_probe(checks: ModuleType, tmp_path: Path) -> None:
    python = checks.probe(sys.executable)
    assert python.version == sys.version.split()[0]
    shim = tmp_path / 'python3.12'
    shim.write_text('#!/bin/sh\necho "python3.12: not installed"\nexit 127\n')
    shim.chmod(0o755)
    assert checks.probe(str(shim)) is None
    assert checks.probe(str(tmp_path / 'absent')) is None


@pytest.mark.parametrize(
    ('version', 'supported'),
    [('3.9.1', False), ('3.11.0', True), ('3.13.2', True), ('3.14.0', False)],
)
def test_supported(checks: ModuleType, version: str, supported: bool) -> None:
    assert checks.Interpreter('x', version, True).supported is supported


def test_old_python(
    checks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = checks.Interpreter('/x/python3', '3.10.13', True)
    monkeypatch.setattr(checks, 'probe', lambda path: old)
    with pytest.raises(checks.SetupError) as error:
        checks.find_python()
    for part in ('3.10.13', '/x/python3', '3.11, 3.12 or 3.13', 'PYTHON='):
        assert part in str(error.value)


def test_python_without_venv(
    checks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = checks.Interpreter('/x/python3', '3.12.3', False)
    monkeypatch.setattr(checks, 'probe', lambda path: bare)
    with pytest.raises(
        checks.SetupError, match=r'ensurepip.*python3\.12-venv'
    ):
        checks.find_python()


def test_another_python_is_found(
    checks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default is too old, python3.12 does not run, python3.13 fits."""
    versions = {sys.executable: '3.8.1', '/x/python3.13': '3.13.0'}

    def probe(path: str) -> Any:
        if path not in versions:
            return None
        return checks.Interpreter(path, versions[path], True)

    monkeypatch.setattr(checks, 'probe', probe)
    monkeypatch.setattr(shutil, 'which', lambda name: f'/x/{name}')
    assert checks.find_python().path == '/x/python3.13'


@pytest.mark.parametrize(
    ('log', 'message'),
    [
        (
            'NewConnectionError: name resolution\nNo matching distribution '
            'found for torch==2',
            'No network.*PIP_INDEX_URL',
        ),
        ('OSError: [Errno 28] No space left on device', 'disk became full'),
        ('No matching distribution found for torch==9', 'no torch==9 for'),
        ('Cannot install torch==9 because these', 'no torch==9 for'),
        ('PermissionError: [Errno 13] Permission denied', 'owner'),
        ('something else', 'lines above'),
    ],
)
def test_explain(checks: ModuleType, log: str, message: str) -> None:
    explanation = checks.explain(log)
    assert re.search(message, explanation)
    assert 'again' in explanation
