"""What an environment takes from a finished one beside it."""

import importlib
import os
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parents[1] / 'tools'
SITE = Path('lib/python3.11/site-packages')


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module('bootstrap_packages')


def add(venv: Path, name: str, version: str) -> Path:
    """Write a package of one module and one script."""
    info = venv / SITE / f'{name}-{version}.dist-info'
    info.mkdir(parents=True)
    (venv / 'bin').mkdir(exist_ok=True)
    (venv / 'bin' / name).write_text('#!/x/python\n')
    module = venv / SITE / name / 'deep' / 'code.py'
    module.parent.mkdir(parents=True)
    module.write_text(version)
    files = (info / 'METADATA', module, info / 'RECORD')
    (info / 'METADATA').write_text(name)
    names = [str(file.relative_to(venv / SITE)) for file in files]
    names += [f'../../../bin/{name}', f'{name}/gone.pyc']
    (info / 'RECORD').write_text(''.join(f'{n},,\n' for n in names))
    return module


@pytest.fixture
def venvs(tmp_path: Path) -> tuple[Path, Path]:
    for name in ('source', 'target'):
        (tmp_path / name / SITE).mkdir(parents=True)
    return tmp_path / 'source', tmp_path / 'target'


def test_share(packages: ModuleType, venvs: tuple[Path, Path]) -> None:
    source, target = venvs
    module = add(source, 'torch', '2.12.1')
    for name in ('onedl_mmcv', 'mlfm_mm', 'pip', 'setuptools'):
        add(source, name, '1.0')
    assert packages.share(source, target) == 1
    twin = target / module.relative_to(source)
    assert os.path.samefile(twin, module)
    found = {path.name for path in (target / SITE).iterdir()}
    assert found == {'torch', 'torch-2.12.1.dist-info'}
    # Replacing a file, as pip does, leaves the other environment alone.
    twin.unlink()
    twin.write_text('new')
    assert module.read_text() == '2.12.1'
    assert not (target / 'bin').exists()


def test_what_is_there_stays(
    packages: ModuleType, venvs: tuple[Path, Path]
) -> None:
    source, target = venvs
    add(source, 'numpy', '2.0')
    module = add(target, 'numpy', '1.0')
    assert packages.share(source, target) == 0
    assert module.read_text() == '1.0'


def test_another_python_gets_nothing(
    packages: ModuleType, venvs: tuple[Path, Path]
) -> None:
    source, target = venvs
    add(source, 'numpy', '2.0')
    (target / SITE).rename(target / 'lib' / 'site-packages')
    assert packages.share(source, target) == 0


def test_copies_where_links_are_not_possible(
    packages: ModuleType,
    venvs: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*args: object) -> None:
        raise OSError('cross-device link')

    monkeypatch.setattr(os, 'link', refuse)
    source, target = venvs
    module = add(source, 'numpy', '2.0')
    assert packages.share(source, target) == 1
    twin = target / module.relative_to(source)
    assert twin.read_text() == '2.0' and not os.path.samefile(twin, module)
