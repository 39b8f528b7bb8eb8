import json
import shlex
from pathlib import Path

import pytest

from benchmarks import parts
from benchmarks.__main__ import benchmark_parser, points
from benchmarks.figures import QUANTITIES
from benchmarks.networks import Group, make_groups
from benchmarks.parts import RESULTS, ROOT, Part, choose, read_parts
from mlfm_mm.analysis.complexity import memory_of
from tests.tools.helpers import write_digits_config

PARTS = read_parts()


@pytest.mark.parametrize('part', PARTS.values(), ids=lambda part: part.name)
def test_parts_are_calls_of_the_benchmark(part: Part) -> None:
    args = benchmark_parser().parse_args(part.options.split())
    assert all((ROOT / config).is_file() for config in args.configs)
    for arm, limits in part.limits.items():
        assert arm in ('MLFM', *args.arms)
        assert set(limits) <= set(QUANTITIES)
    if args.device == 'cpu':
        group = Group('none', [])
        assert len(list(points(args, [group]))) in (1, 4, 5)


@pytest.mark.parametrize('name', ['scale_width', 'scale_depth'])
def test_what_is_varied_can_be_built(name: str) -> None:
    args = benchmark_parser().parse_args(PARTS[name].options.split())
    configs = [str(ROOT / config) for config in args.configs]
    for _, group, _ in points(args, make_groups(configs, None, [])):
        assert all(memory_of(arm.build()) for arm in group.arms[1:])


def test_results_name_no_place() -> None:
    for path in (ROOT / RESULTS).glob('*.json'):
        words = shlex.split(json.loads(path.read_text('utf-8'))['command'])
        assert not any(word.startswith('/') for word in words), path
        assert path.stem in PARTS


def test_choosing_parts(tmp_path: Path) -> None:
    first, *others = choose(False, True, tmp_path)
    assert [first, *others] == list(PARTS)
    path = PARTS[first].path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text('{}')
    assert choose(False, True, tmp_path) == others
    assert choose(True, True, tmp_path) == [first, *others]
    without = choose(True, False, tmp_path)
    assert not any('cuda' in PARTS[name].options for name in without)


def test_an_unknown_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('sys.argv', ['parts', 'resnet19'])
    with pytest.raises(SystemExit):
        parts.main()
    assert 'resnet18' in capsys.readouterr().err


def test_a_part_measures_into_its_file_and_is_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    limits = {'MLFM': dict(params=100.0, macs=1.0)}
    part = Part('tiny', f'{config} --size 32 --what size', limits)
    assert part.read(tmp_path) is None
    part.measure(tmp_path)
    report = part.read(tmp_path)
    assert report.command == f'python -m benchmarks {part.options}'
    assert len(report.figures) == 4
    printed = capsys.readouterr().out
    assert printed.count(': met') == printed.count(': missed') == 1
