"""The two names of everything registered here, from every scope."""

import subprocess
import sys

import pytest
from mmengine.registry import Registry

import mlfm_mm
from mlfm_mm.registry import DATASETS, HOOKS, MODELS, SharedRegistry
from tests.hosts import needs_mmseg

# Run in a fresh interpreter: what is imported decides which names exist.
HOST_SCRIPT = """
from mmengine.registry import DefaultScope, init_default_scope
from {host}.registry import MODELS

init_default_scope('{host}')
unit = dict(memory_channels=3, channels=4)
by_prefix = MODELS.build(dict(type='mlfm_mm.LFMU', **unit))
import mlfm_mm
by_bare_name = MODELS.build(dict(type='LFMU', **unit))
assert type(by_prefix) is type(by_bare_name) is mlfm_mm.LFMU
assert DefaultScope.get_current_instance().scope_name == '{host}'
"""


@pytest.fixture
def root() -> Registry:
    return Registry('thing', scope='root')


@pytest.fixture
def shared(root: Registry) -> SharedRegistry:
    return SharedRegistry('thing', parent=root, scope='plugin')


def test_a_module_answers_in_both(
    root: Registry, shared: SharedRegistry
) -> None:
    @shared.register_module()
    class Tool: ...

    sibling = Registry('thing', parent=root, scope='host')
    assert shared.get('Tool') is Tool
    assert root.get('Tool') is Tool
    assert sibling.get('Tool') is Tool
    assert sibling.get('plugin.Tool') is Tool


def test_other_names(root: Registry, shared: SharedRegistry) -> None:
    class Tool: ...

    shared.register_module(name=['A', 'B'], module=Tool)
    assert all(r.get(n) is Tool for r in (root, shared) for n in 'AB')
    assert 'Tool' not in root and 'Tool' not in shared


def test_a_name_is_taken_once(root: Registry, shared: SharedRegistry) -> None:
    class Tool: ...

    shared.register_module(module=Tool)
    with pytest.raises(KeyError, match='Tool is already registered'):
        shared.register_module(module=Tool)
    shared.register_module(module=Tool, force=True)


@pytest.mark.parametrize('registry', [MODELS, DATASETS, HOOKS])
def test_place_in_the_tree(registry: Registry) -> None:
    assert registry.scope == 'mlfm_mm'
    assert registry.parent.scope == 'mmengine'
    assert registry.parent.children['mlfm_mm'] is registry
    # Imports the modules of `locations`: fails when one is misspelt.
    registry.import_from_location()


@pytest.mark.parametrize('name', ['LFMU', 'MLFMNeck'])
def test_public_modules_are_registered(name: str) -> None:
    module = getattr(mlfm_mm, name)
    assert MODELS.get(name) is module
    assert MODELS.parent.get(f'mlfm_mm.{name}') is module


def test_data_sets_take_no_bare_names() -> None:
    """Names that another plugin may have as well."""
    assert DATASETS.get('Digits') is DATASETS.parent.get('mlfm_mm.Digits')
    for name in ('Digits', 'ImageFolder', 'CamVid', 'ImageNet100'):
        assert name not in DATASETS.parent


@pytest.mark.parametrize(
    'host', ['mmpretrain', pytest.param('mmseg', marks=needs_mmseg)]
)
def test_names_in_a_host(host: str) -> None:
    pytest.importorskip(host)
    done = subprocess.run(
        [sys.executable, '-c', HOST_SCRIPT.format(host=host)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
