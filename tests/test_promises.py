"""What is promised of versions and commands is pinned, and tried."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

REPO = Path(__file__).resolve().parents[1]
PIN = re.compile(r'^([\w.-]+)==(\S+)$', re.MULTILINE)
HOSTS = ('mmengine', 'mmcv', 'mmcv-lite', 'mmpretrain', 'mmsegmentation')


def test_pins_agree() -> None:
    """Every direct pin is the version in the constraints."""
    texts = {
        file.name: file.read_text()
        for file in (REPO / 'requirements').glob('*.txt')
    }
    constraints = dict(PIN.findall(texts.pop('constraints.txt')))
    assert constraints['torch'] == '2.12.1'
    assert not [name for name in constraints if 'nvidia' in name]
    # The environment of the constraints has the other family.
    originals = [f'{name}==' for name in HOSTS if name != 'mmcv']
    lines = texts['openmmlab.txt'].splitlines()
    texts['openmmlab.txt'] = '\n'.join(
        line for line in lines if not line.startswith(tuple(originals))
    )
    assert len(lines) - len(texts['openmmlab.txt'].splitlines()) == 4
    for name in ('floor.txt', 'hosts-openmmlab.txt', 'hosts-alone.txt'):
        del texts[name]
    texts['hosts.txt'] = re.sub(r'onedl-.*\n', '', texts['hosts.txt'])
    for name, text in texts.items():
        pins = dict(PIN.findall(text))
        assert pins and pins.items() <= constraints.items(), name
        assert '-c constraints.txt' in text


def test_the_floor_is_what_is_promised() -> None:
    """`make test-floor` runs with the lower bounds of the package."""
    tomllib = pytest.importorskip('tomllib')
    project = tomllib.loads((REPO / 'pyproject.toml').read_text())['project']
    extras = project['optional-dependencies']
    promised = project['dependencies'] + extras['onedl']
    promised += extras['wavelets'] + extras['quickstart']
    promised += extras['analysis']
    bounds = dict(
        re.findall(r'^([\w.-]+)>=([\d.]+)', '\n'.join(promised), re.M)
    )
    pins = dict(PIN.findall((REPO / 'requirements/floor.txt').read_text()))
    install_test = (REPO / '.dev_scripts/install_test.py').read_text()
    assert f"'numpy=={bounds.pop('numpy')}" in install_test
    assert set(bounds) == set(pins) - {'torchvision', 'numpy'}
    for name, bound in bounds.items():
        assert pins[name] == bound or pins[name] == f'{bound}.0', name
    makefile = (REPO / 'Makefile').read_text()
    python = project['requires-python'].removeprefix('>=')
    assert f'$(call set_up,.venv-floor,Python {python},floor)' in makefile


def test_the_public_ci_tries_what_is_promised() -> None:
    tomllib = pytest.importorskip('tomllib')
    project = tomllib.loads((REPO / 'pyproject.toml').read_text())['project']
    workflow = yaml.safe_load((REPO / '.github/workflows/ci.yml').read_text())
    jobs = workflow['jobs']
    tried = {
        str(row['python'])
        for row in jobs['test']['strategy']['matrix']['include']
    }
    promised = re.findall(r'Python :: (3\.\d+)', str(project['classifiers']))
    assert tried == set(promised)
    commands = [
        step.get('run') for job in jobs.values() for step in job['steps']
    ]
    gate = re.findall(r'^make .*', (REPO / '.ci/run').read_text(), re.M)
    for row in jobs['test']['strategy']['matrix']['include']:
        commands.append(f'make {row["target"]}')
    assert set(gate) <= set(commands)
    makefile = (REPO / 'Makefile').read_text()
    for target in re.findall(
        r'make ([a-z-]+)', '\n'.join(filter(None, commands))
    ):
        assert re.search(rf'^{target}:', makefile, re.M), target


def test_make_help_lists_every_target() -> None:
    makefile = (REPO / 'Makefile').read_text()
    targets = set(re.findall(r'^([a-z-]+):', makefile, re.MULTILINE))
    command = ['make', '-C', str(REPO), '--no-print-directory', 'help']
    shown = subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout
    assert targets == set(re.findall(r'^  ([a-z-]+) ', shown, re.MULTILINE))
