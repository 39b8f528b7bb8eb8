"""The page, the README's table, and the measurements behind them."""

import json
import shlex
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from mlfm_mm.analysis import machine
from mlfm_mm.analysis.benchmark.files import save
from mlfm_mm.analysis.benchmark.page import readme_table, write_page
from mlfm_mm.analysis.benchmark.report import Report
from mlfm_mm.analysis.benchmark.runner_cost import RunnerCost, save_runner
from mlfm_mm.analysis.benchmark.suite import PARTS, choose
from mlfm_mm.engine import UsageError
from tests.analysis.benchmark.tiny import ROWS

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / 'docs/results/performance'


def test_the_page_is_fresh() -> None:
    page = (ROOT / 'docs/performance.md').read_text(encoding='utf-8')
    assert page == write_page(RESULTS), 'run python docs/write_performance.py'


def test_the_pictures_of_the_page_are_there() -> None:
    page = (ROOT / 'docs/performance.md').read_text(encoding='utf-8')
    for line in page.splitlines():
        if line.startswith('!['):
            path = line.split('(')[1].rstrip(')')
            assert (ROOT / 'docs' / path).is_file(), line


def test_results_name_no_place() -> None:
    for path in RESULTS.glob('*.json'):
        content = json.loads(path.read_text(encoding='utf-8'))
        assert not any(
            word.startswith('/') for word in shlex.split(content['command'])
        ), path


def test_page_and_table_of_results(tmp_path: Path) -> None:
    report = Report('x', ROWS, machine.describe_machine(), 1e9)
    save(report, tmp_path, 'resnet18')
    costs = [
        RunnerCost('tiny', [0.1, 0.11], [0.002, 0.003]),
        RunnerCost('tiny + MLFM', [0.12, 0.12], [0.0021, 0.003]),
    ]
    save_runner(costs, 'x', tmp_path, 'runner')
    page = write_page(tmp_path)
    assert '## Limits' in page and '| tiny: inference | 1.25 | 1.20' in page
    assert '](results/performance/resnet18.png)' in page
    assert '## ResNet-50' not in page
    assert '0.10 ms more beside the step' in page
    table = readme_table(tmp_path)
    assert '| ResNet-18 | x1.20 | x1.12 | x1.30 | x1.40 | x1.30 | x1.20 |' in (
        table
    )


def test_without_results(tmp_path: Path) -> None:
    assert write_page(tmp_path).startswith('# Performance')
    assert 'make benchmark' in readme_table(tmp_path)


def parser_of_the_tool():
    path = ROOT / 'tools/benchmark.py'
    spec = spec_from_file_location('benchmark_tool', path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize('part', PARTS, ids=lambda part: part.name)
def test_parts_are_calls_of_the_tool(
    part, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = parser_of_the_tool()
    words = part.words(Path('docs/results/performance'))
    monkeypatch.setattr('sys.argv', ['benchmark.py', *words])
    args = tool.parse_args()
    assert all((ROOT / config).is_file() for config in args.configs)
    assert args.stem == part.name
    assert part.on_gpu == (args.device == 'cuda')


def test_choosing_parts(tmp_path: Path) -> None:
    everything = choose([], tmp_path, False)
    (tmp_path / f'{everything[0].name}.json').write_text('{}')
    assert choose([], tmp_path, False) == everything[1:]
    assert choose([], tmp_path, True) == everything
    assert [part.name for part in choose(['runner'], tmp_path, False)] == [
        'runner'
    ]
    with pytest.raises(UsageError, match=r'no part resnet19: .*resnet18'):
        choose(['resnet19'], tmp_path, False)
