import json
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as program
from tests.tools.helpers import REPO, run, write_digits_config

FAST = ('--batch', '2', '--size', '32', '--repeats', '2')


def test_as_a_user_calls_it(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    command = [sys.executable, '-m', 'benchmarks', str(config), *FAST]
    command += ['--arms', 'with_cp=True']
    done = run(command, tmp_path, PYTHONPATH=str(REPO))
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert 'digits_mlfm: batch 2, 32x32, fp32' in printed
    assert 'saved activations' in printed
    assert 'OneDL' not in printed and 'Warning' not in printed
    content = json.loads((tmp_path / 'work_dirs/benchmark.json').read_text())
    assert content['command'].startswith('python -m benchmarks')
    assert content['machine']['cores'] > 0
    arms = {figure['arm'] for figure in content['figures']}
    assert arms == {'baseline', 'MLFM', 'with_cp=True'}


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A config beside which the results are saved."""
    monkeypatch.chdir(tmp_path)
    # It would silence the tests that come after.
    monkeypatch.setattr(program, 'quiet', lambda: None)
    return str(write_digits_config(tmp_path, 'mlfm'))


def test_tables_in_markdown(
    tiny: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [tiny, *FAST, '--what', 'memory', '--markdown']
    program.main([*words, '--threads', '1', '--out', 'here.json'])
    printed = capsys.readouterr().out
    assert '| digits_mlfm | baseline | + MLFM |' in printed
    assert 'Saved in here.json' in printed
    assert json.loads(Path('here.json').read_text())['machine']['threads'] == 1


def test_a_sweep(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [tiny, '--vary', 'depth', '18', '34', '--size', '32', '64']
    program.main([*words, '--what', 'size'])
    printed = capsys.readouterr().out
    for depth in (18, 34):
        for size in (32, 64):
            assert f'depth {depth}, size {size}' in printed


@pytest.mark.parametrize(
    ('words', 'line'),
    [
        (['none.py'], 'there is no config file'),
        (['--arms', 'speed=1', '--what', 'size'], 'speed'),
        (['--repeats', '1'], '--repeats 1 is too small'),
        (['--vary', 'depth'], '--vary depth: give'),
        (['--vary', 'depth', '19', '--what', 'size'], 'invalid depth 19'),
        (['--size', '0', '--what', 'size'], '--size 0: give HEIGHTxWIDTH'),
        (['--out', '.'], 'is a folder'),
    ],
)
def test_mistakes_get_one_line(tiny: str, words: list[str], line: str) -> None:
    config = [] if words == ['none.py'] else [tiny]
    with pytest.raises(SystemExit) as stop:
        program.main([*config, *words])
    assert str(stop.value).startswith('benchmarks: ')
    assert line in str(stop.value) and '\n' not in str(stop.value)


def test_a_page_is_not_overwritten(tiny: str) -> None:
    Path('README.md').write_text('mine')
    with pytest.raises(SystemExit, match=r'ends in \.json'):
        program.main([tiny, '--out', 'README.md', *FAST])
    assert Path('README.md').read_text() == 'mine'
