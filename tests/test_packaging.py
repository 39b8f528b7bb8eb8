"""What a source archive, a wheel and an editable install contain."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest
from mmengine.config import Config

from mlfm_mm import __version__

REPO = Path(__file__).resolve().parents[1]
HOSTS = ('mmengine', 'mmcv', 'mmcv-lite', 'mmpretrain', 'mmsegmentation')
LINKED = ('configs', 'tools')
NOT_IN_SDIST = ('.gitignore',)
# What a user does first, with the wheel in the folder argv[1].
USE_OF_THE_WHEEL = """
import sys
from pathlib import Path
import mlfm_mm, torch
from mmengine.config import Config
from mmengine.registry import MODELS

home = Path(sys.argv[1]) / 'mlfm_mm'
assert Path(mlfm_mm.__file__).parent == home, mlfm_mm.__file__
assert (home / '.mim' / 'tools' / 'train.py').is_file()
index = Config.fromfile(home / '.mim' / 'model-index.yml')
assert all((home / '.mim' / name).exists() for name in index.Import)
models = [
    model
    for name in index.Import
    for model in Config.fromfile(home / '.mim' / name).Models
]
# OpenMIM knows a model by its name, and finds its files here.
assert len({model.Name for model in models}) == len(models) > 100
for model in models:
    assert (home / '.mim' / model.Config).is_file(), model.Config
    assert (home / '.mim' / model.get('Weights', '')).exists(), model.Name
config = Config.fromfile(home / '.mim' / 'names/resnet18-mlfm_in100.py')
model = MODELS.build({**config.model, '_scope_': 'mmpretrain'})
assert isinstance(model.neck, mlfm_mm.MLFMNeck) and len(model.neck.units) == 6
assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 100)
"""


def run(*command: object, cwd: Path) -> str:
    """Run a Python module and give back what it printed."""
    done = subprocess.run(
        [sys.executable, '-m', *map(str, command)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, where building leaves its traces."""
    pytest.importorskip('build')
    target = tmp_path_factory.mktemp('checkout') / 'repo'
    skipped = shutil.ignore_patterns(
        '.git', '.venv*', '.mim', '.*_cache', '.hypothesis', '__pycache__',
        '*.egg-info', 'build', 'dist', 'data', 'work_dirs',
    )  # fmt: skip
    shutil.copytree(REPO, target, ignore=skipped, symlinks=True)
    # Git keeps no empty folder; the test must not depend on what is in it.
    (target / 'configs').mkdir(exist_ok=True)
    (target / 'configs' / 'probe.py').write_text('model = dict()\n')
    return target


@pytest.fixture(scope='module')
def archives(checkout: Path) -> dict[str, Path]:
    """The source archive, and the wheel that is built from it."""
    run('build', '--no-isolation', '.', cwd=checkout)
    (sdist,) = (checkout / 'dist').glob('*.tar.gz')
    (wheel,) = (checkout / 'dist').glob('*.whl')
    return {'sdist': sdist, 'wheel': wheel}


def members(archive: Path) -> set[str]:
    """The names of the regular files in an archive."""
    if archive.suffix == '.whl':
        return set(zipfile.ZipFile(archive).namelist())
    with tarfile.open(archive) as file:
        # A link would point to nothing once it is unpacked elsewhere.
        assert not any(m.issym() or m.islnk() for m in file)
        return {m.name.split('/', 1)[1] for m in file if m.isfile()}


def test_wheel_has_the_mim_folder(
    archives: dict[str, Path], checkout: Path
) -> None:
    names = members(archives['wheel'])
    assert 'mlfm_mm/.mim/configs/probe.py' in names
    assert 'mlfm_mm/py.typed' in names
    for script in checkout.glob('tools/*.*'):
        assert f'mlfm_mm/.mim/tools/{script.name}' in names
    assert not any('__pycache__' in name for name in names)


def test_mim_finds_each_network_with_memory(
    archives: dict[str, Path],
) -> None:
    """By the name of its file, wherever that lies."""
    names = members(archives['wheel'])
    for config in (REPO / 'configs/mlfm').glob('*.py'):
        network, data = config.stem.rsplit('_', 1)
        found = f'/{network}-mlfm_{data}.py'
        assert len([n for n in names if n.endswith(found)]) == 1, found


def test_sdist_is_a_checkout(archives: dict[str, Path]) -> None:
    """Every file that git keeps is there, once."""
    command = ['git', 'ls-files', '--cached', '--others', '--exclude-standard']
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True)
    if done.returncode:
        pytest.skip('this is no checkout of git')
    kept = {name for name in done.stdout.split() if (REPO / name).is_file()}
    names = members(archives['sdist'])
    assert not {n for n in kept - names if n not in NOT_IN_SDIST}
    assert not any('.mim' in name for name in names)


def test_sdist_runs_its_tests(
    archives: dict[str, Path], tmp_path: Path
) -> None:
    with tarfile.open(archives['sdist']) as file:
        file.extractall(tmp_path, filter='data')
    (unpacked,) = tmp_path.iterdir()
    # All of them are imported, and some are run: not those that take long.
    some = ('-k', '(test_low_pass or test_registry) and not in_a_host')
    shown = run('pytest', '-q', '-n0', '-x', *some, cwd=unpacked)
    passed, others = re.findall(r'(\d+) (?:passed|deselected)', shown)
    assert int(passed) > 50 and int(others) > 1000


def test_wheel_in_an_environment_of_its_own(
    archives: dict[str, Path], tmp_path: Path
) -> None:
    """Beside the packages of this one, but without the checkout."""
    bare = tmp_path / 'bare'
    run('venv', '--without-pip', bare, cwd=tmp_path)
    (site,) = bare.glob('lib/python*/site-packages')
    options = ['--no-deps', '--no-index', '--target', site]
    run('pip', 'install', *options, archives['wheel'], cwd=tmp_path)
    (site / 'beside.pth').write_text(f'{sysconfig.get_path("purelib")}\n')
    done = subprocess.run(
        [bare / 'bin' / 'python', '-c', USE_OF_THE_WHEEL, site],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != 'PYTHONPATH'},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_wheel_holds_the_package_only(archives: dict[str, Path]) -> None:
    tops = {name.split('/')[0] for name in members(archives['wheel'])}
    assert tops == {'mlfm_mm', f'mlfm_mm-{__version__}.dist-info'}


@pytest.fixture(scope='module')
def metadata(archives: dict[str, Path]) -> Message:
    wheel = archives['wheel']
    name = f'mlfm_mm-{__version__}.dist-info/METADATA'
    return message_from_string(zipfile.ZipFile(wheel).read(name).decode())


def test_metadata(metadata: Message) -> None:
    assert metadata['Name'] == 'mlfm_mm'
    assert metadata['Version'] == __version__
    assert metadata['Requires-Python'] == '>=3.10'
    assert metadata['License-Expression'] == 'Apache-2.0'
    assert set(metadata.get_all('Provides-Extra', [])) == {
        'openmmlab', 'onedl', 'wavelets', 'quickstart', 'analysis', 'export',
        'docs', 'dev',
    }  # fmt: skip


def test_one_version() -> None:
    """Code, changes and citation tell the same."""
    changes = (REPO / 'CHANGELOG.md').read_text()
    number, date = re.search(
        r'^## (\S+) - (\d{4}-\d\d-\d\d)$', changes, re.MULTILINE
    ).groups()
    assert number == __version__
    citation = (REPO / 'CITATION.cff').read_text()
    assert f"\nversion: {number}\ndate-released: '{date}'\n" in citation


def test_no_host_is_forced(metadata: Message) -> None:
    """A hard dependency would overwrite a user's OpenMMLab."""
    requires = metadata.get_all('Requires-Dist', [])
    hard = [line for line in requires if 'extra ==' not in line]
    names = {re.match(r'[\w.-]+', line)[0] for line in hard}
    assert names == {'torch', 'numpy'}
    family = {
        re.match(r'[\w.-]+', line)[0]
        for line in requires
        if 'extra == "openmmlab"' in line
    }
    assert family & set(HOSTS) == set(HOSTS) - {'mmcv-lite'}


def test_editable_install_follows_the_checkout(
    checkout: Path, tmp_path: Path
) -> None:
    options = ['--no-deps', '--no-build-isolation', '--no-index']
    run('pip', 'install', *options, '-t', tmp_path, '-e', '.', cwd=checkout)
    mim = checkout / 'mlfm_mm' / '.mim'
    for name in LINKED:
        assert (mim / name).resolve() == (checkout / name).resolve()
    named = mim / 'names' / 'resnet18-mlfm_in100.py'
    assert Config.fromfile(named).model.neck.type == 'mlfm_mm.MLFMNeck'
    (checkout / 'configs' / 'later.py').write_text('')
    assert (mim / 'configs' / 'later.py').exists()


def test_links_fall_back_to_copies(checkout: Path, tmp_path: Path) -> None:
    """Windows allows links to administrators only."""
    script = (
        'import os, pathlib, sys\n'
        'def refuse(*args, **kwargs): raise OSError\n'
        'os.symlink = pathlib.Path.symlink_to = refuse\n'
        'import setuptools; setuptools.setup = lambda **kwargs: None\n'
        'import setup; setup.fill_mim(pathlib.Path(sys.argv[1]), True)\n'
    )
    command = [sys.executable, '-c', script, str(tmp_path / 'package')]
    subprocess.run(command, cwd=checkout, check=True, timeout=60)
    copied = tmp_path / 'package' / '.mim' / 'configs'
    assert copied.is_dir() and not copied.is_symlink()
    assert (copied / 'probe.py').is_file()


@pytest.mark.parametrize('absent', ['mmengine', 'mmcv'])
def test_without_openmmlab(absent: str) -> None:
    script = f'import sys; sys.modules[{absent!r}] = None; import mlfm_mm'
    done = subprocess.run(
        [sys.executable, '-c', script],
        cwd=REPO,
        capture_output=True,
        text=True,
    )
    said = done.stderr.splitlines()[-1]
    for part in (f'{absent} is not installed', 'mlfm_mm[onedl]'):
        assert part in said
    assert 'another exception' not in done.stderr
