"""What all tools do with mistakes, whatever they are for."""

from pathlib import Path

import pytest

from tests.tools.helpers import TOOLS

# It starts the others, and has no work of its own.
LAUNCHER = 'dist_launch.py'
PROGRAMS = sorted(p for p in TOOLS.rglob('*.py') if p.name != LAUNCHER)


@pytest.mark.parametrize('path', PROGRAMS, ids=lambda path: path.name)
def test_each_ends_in_one_sentence(path: Path) -> None:
    assert f"with one_sentence('{path.name}'" in path.read_text()


@pytest.mark.parametrize('path', PROGRAMS, ids=lambda path: path.name)
def test_what_a_message_advises_is_there(path: Path) -> None:
    """Who reads checkpoints may be told to add an option."""
    text = path.read_text()
    if 'weights_only(' in text or 'load_trained(' in text:
        adders = 'add_trust(', 'add_config_options(', 'add_network_options('
        assert any(adder in text for adder in adders)
