import json
from pathlib import Path

from tests.tools.helpers import run_tool, write_digits_config

FAST = ('--batch', 2, '--size', 32, '--repeats', 2, '--out', 'out')


def test_a_config_with_memory(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    printed = run_tool(
        *('benchmark.py', config, *FAST, '--fuse', '--with-cp'),
        *('--limit', 'saved=100', 'infer=1000'),
        cwd=tmp_path,
    )
    assert 'digits_mlfm: inference, norms folded, batch 2' in printed
    assert 'saved activations' in printed and ': met' in printed
    assert 'USDT' not in printed and 'Warning' not in printed
    content = json.loads((tmp_path / 'out/benchmark.json').read_text())
    assert len(content['rows']) == 3 + 4 + 4
    assert content['machine']['cores'] > 0 and content['bandwidth'] > 0
    assert content['command'].startswith('python tools/benchmark.py')
    for ending in ('csv', 'md', 'png'):
        assert (tmp_path / f'out/benchmark.{ending}').is_file()


def test_a_missed_limit_fails(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    printed = run_tool(
        *('benchmark.py', config, *FAST, '--phase', 'train', '--no-plain'),
        *('--limit', 'saved=1.0', '--markdown'),
        cwd=tmp_path,
        fails=True,
    )
    assert '| digits_mlfm | min (ms) |' in printed and ': missed' in printed


def test_configs_against_each_other(tmp_path: Path) -> None:
    mlfm = write_digits_config(tmp_path, 'mlfm')
    plain = write_digits_config(tmp_path)
    run_tool(
        *('benchmark.py', mlfm, '--baseline', plain, '--phase', 'infer'),
        *(*FAST, '--no-plain', '--stem', 'both', '--threads', 1),
        cwd=tmp_path,
    )
    content = json.loads((tmp_path / 'out/both.json').read_text())
    arms = [row['arm'] for row in content['rows']]
    assert arms == ['digits_baseline', 'digits_mlfm + MLFM']
    assert content['machine']['threads'] == 1
    run_tool(
        *('benchmark.py', plain, plain, '--phase', 'infer', *FAST),
        cwd=tmp_path,
    )
    content = json.loads((tmp_path / 'out/benchmark.json').read_text())
    assert len(content['rows']) == 2


def test_a_sweep(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    printed = run_tool(
        *('benchmark.py', config, '--scale', 'size', '--points', 32, 64),
        *('--phase', 'infer', *FAST),
        cwd=tmp_path,
    )
    assert 'Cost over size' in printed
    content = json.loads((tmp_path / 'out/benchmark.json').read_text())
    assert [row['point'] for row in content['rows']] == [32, 32, 64, 64]


def test_the_runner(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    printed = run_tool(
        *('benchmark.py', config, '--runner', '--out', 'out'),
        *('--repeats', 3),
        cwd=tmp_path,
    )
    assert 'beside it' in printed and 'INFO' not in printed
    content = json.loads((tmp_path / 'out/benchmark.json').read_text())
    assert len(content['runner']) == 2


def test_mistakes_get_one_line(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path)
    for words, line in (
        (['none.py'], 'there is no config file'),
        ([config, '--runner'], 'has no MLFMNeck'),
    ):
        printed = run_tool('benchmark.py', *words, cwd=tmp_path, fails=True)
        assert 'Traceback' not in printed
        last = printed.splitlines()[-1]
        assert last.startswith('benchmark.py: ') and line in last
