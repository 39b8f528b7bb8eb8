import argparse
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import DictAction

from mlfm_mm.engine.arguments import (
    Overrides,
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


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('my data/a b', 'my data/a b'),
        ("'my data'", 'my data'),
        ('photos (old)/ a', 'photos (old)/ a'),
        (
            '[my data, b c, (1, 2), [x ,3.5]]',
            ['my data', 'b c', (1, 2), ['x', 3.5]],
        ),
        ('my data, True', ['my data', True]),
        (
            '[my photos (old)/a, (b) c [d]/e f]',
            ['my photos (old)/a', '(b) c [d]/e f'],
        ),
        ('(a) photos, (b, 1)', ['(a) photos', ('b', 1)]),
        ("[' 3', [ ], ()]", [3, [], ()]),
        ('(old) and (new)', '(old) and (new)'),
        ('a,', ['a']),
        ('', ''),
        ('[\'a b\', "c d"]', ['a b', 'c d']),
        (' 3', 3),
        ('(None,)', (None,)),
    ],
)
def test_spaces_stay(
    text: str, value: object, parser: argparse.ArgumentParser
) -> None:
    """MMEngine's own drops them, so that a path names another folder."""
    options = read_arguments(parser, ['--cfg-options', f'a.b={text}'])
    assert options['cfg_options'] == {'a.b': value}


@given(
    st.recursive(
        st.integers() | st.booleans() | st.text('ab.:/-', min_size=1),
        lambda inner: st.lists(inner) | st.lists(inner, min_size=1).map(tuple),
    )
)
def test_as_mmengine_without_spaces(value: object) -> None:
    text = str(value).replace(' ', '').replace("'", '')
    found = Overrides._parse_iterable(text)
    assert repr(found) == repr(DictAction._parse_iterable(text))


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a', "takes KEY=VALUE, not 'a'"),
        ('=3', "takes KEY=VALUE, not '=3'"),
        ('a=[1,2', "brackets of 'a=[1,2' do not match"),
        ('a=1,2)', "brackets of 'a=1,2)' do not match"),
        ('a=[1', "brackets of 'a=[1' do not match"),
    ],
)
def test_what_is_no_override(
    text: str,
    message: str,
    parser: argparse.ArgumentParser,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        read_arguments(parser, ['--cfg-options', text])
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.endswith(f'--cfg-options: {message}')


def test_local_rank(
    parser: argparse.ArgumentParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv('LOCAL_RANK', raising=False)
    # As older launchers pass it.
    assert 'local_rank' not in read_arguments(parser, ['--local_rank=3'])
    assert os.environ['LOCAL_RANK'] == '3'
