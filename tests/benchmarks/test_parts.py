import json
import shlex
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.__main__ import make_parser, points
from benchmarks.figures import QUANTITIES
from benchmarks.networks import Group
from benchmarks.parts import RESULTS, ROOT, Part, choose, read_parts
from mlfm_mm.engine import UsageError
from tests.tools.helpers import write_digits_config

PARTS = read_parts()


@pytest.mark.parametrize('part', PARTS.values(), ids=lambda part: part.name)
def test_parts_are_calls_of_the_benchmark(part: Part) -> None:
    args = make_parser().parse_args(part.options.split())
    assert all((ROOT / config).is_file() for config in args.configs)
    for arm, limits in part.limits.items():
        assert arm in ('MLFM', *args.arms)
        assert set(limits) <= set(QUANTITIES)
    if args.device == 'cpu':
        group = Group('none', [])
        assert len(list(points(args, [group]))) in (1, 4, 5)


def test_results_name_no_place() -> None:
    for path in (ROOT / RESULTS).glob('*.json'):
        words = shlex.split(json.loads(path.read_text('utf-8'))['command'])
        assert not any(word.startswith('/') for word in words), path
        assert path.stem in PARTS


def test_choosing_parts(tmp_path: Path) -> None:
    first, *others = choose(PARTS, [], False, True, tmp_path)
    assert [first, *others] == list(PARTS.values())
    first.path(tmp_path).parent.mkdir(parents=True)
    first.path(tmp_path).write_text('{}')
    assert choose(PARTS, [], False, True, tmp_path) == others
    assert choose(PARTS, [], True, True, tmp_path) == [first, *others]
    without = choose(PARTS, [], True, False, tmp_path)
    assert not any('cuda' in part.options for part in without)
    named = choose(PARTS, ['resnet18'], False, False, tmp_path)
    assert [part.name for part in named] == ['resnet18']
    with pytest.raises(UsageError, match=r'no part resnet19: .*resnet18'):
        choose(PARTS, ['resnet19'], False, False, tmp_path)


def test_a_part_measures_into_its_file(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    part = Part('tiny', 'Tiny', f'{config} --size 32 --what size')
    assert part.read(tmp_path) is None
    part.measure(tmp_path, Console(quiet=True))
    report = part.read(tmp_path)
    assert report.command == f'python -m benchmarks {part.options}'
    assert len(report.figures) == 4
