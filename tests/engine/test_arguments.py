import argparse
import os

import pytest

from mlfm_mm.engine.arguments import (
    add_config_options,
    add_run_options,
    read_arguments,
)


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_run_options(parser, 'logs')
    add_config_options(parser, 'a.b=1')
    return parser


def test_overrides(parser: argparse.ArgumentParser) -> None:
    given = ['--cfg-options', 'a.b=1', 'c=[x,y]', 'd=e=f']
    options = read_arguments(parser, given)
    assert options['cfg_options'] == {'a.b': 1, 'c': ['x', 'y'], 'd': 'e=f'}
    assert not options['trust'] and not options['allow_partial']


def test_an_override_without_value(
    parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        read_arguments(parser, ['--cfg-options', 'a'])
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.endswith("--cfg-options: takes KEY=VALUE, not 'a'")


def test_local_rank(
    parser: argparse.ArgumentParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv('LOCAL_RANK', raising=False)
    # As older launchers pass it.
    assert 'local_rank' not in read_arguments(parser, ['--local_rank=3'])
    assert os.environ['LOCAL_RANK'] == '3'
