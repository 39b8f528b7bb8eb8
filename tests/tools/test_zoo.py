"""tools/zoo.py, on a repository of two configs."""

import json
import shutil
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from tests.tools.helpers import REPO, TOOLS, run_tool

MARKS = '# A\n\n<!-- published: begin -->\n<!-- published: end -->\n\nb\n'
Zoo = Callable[..., None]


def test_the_tables_are_up_to_date(tmp_path: Path) -> None:
    """The check of CI; `python tools/zoo.py tables` makes it pass."""
    printed = run_tool('zoo.py', 'tables', '--check', cwd=tmp_path)
    assert 'up to date' in printed


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository of ResNet-10 in both arms."""
    for folder in ('_base_', 'zoo'):
        shutil.copytree(
            REPO / 'configs' / folder, tmp_path / 'configs' / folder
        )
    for arm in ('baseline', 'mlfm'):
        (tmp_path / 'configs' / arm).mkdir()
        name = f'configs/{arm}/resnet10_in100.py'
        shutil.copy(REPO / name, tmp_path / name)
    (tmp_path / 'README.md').write_text(MARKS)
    return tmp_path


@pytest.fixture
def zoo(small: Path, monkeypatch: pytest.MonkeyPatch) -> Zoo:
    """The program, in the small repository."""
    spec = spec_from_file_location('tool_zoo', TOOLS / 'zoo.py')
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, 'ROOT', small)

    def call(*args: object) -> None:
        monkeypatch.setattr('sys.argv', ['zoo.py', *map(str, args)])
        try:
            module.main()
        finally:
            # Counting silences what the necks log.
            module.logging.disable(module.logging.NOTSET)

    return call


def test_from_counts_to_tables(
    small: Path, zoo: Zoo, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match='does not fit the configs'):
        zoo('tables')
    zoo('costs')
    printed = capsys.readouterr().out
    assert '[1/2] configs/baseline/resnet10_in100.py: 4,957,092' in printed
    assert '[2/2] configs/mlfm/resnet10_in100.py: 5,173,412' in printed
    costs = small / 'configs/zoo/costs.json'
    assert len(json.loads(costs.read_text())) == 2

    with pytest.raises(SystemExit, match=r'out of date: .*README.md; run'):
        zoo('tables', '--check')
    zoo('tables')
    zoo('tables', '--check')
    readme = (small / 'README.md').read_text()
    assert readme.startswith('# A\n') and readme.endswith('\n\nb\n')
    assert '| 77.58 | 78.64 | 4.957 → 5.173 |' in readme
    assert (small / 'model-index.yml').is_file()
    page = small / 'configs/mlfm/README.md'
    page.write_text(page.read_text().replace('78.64', '99.99'))
    with pytest.raises(SystemExit, match=r'date: configs/mlfm/README.md; run'):
        zoo('tables', '--check')


def test_counts_of_some_configs(small: Path, zoo: Zoo) -> None:
    path = small / 'configs/zoo/costs.json'
    rows = json.loads(path.read_text())
    for row in rows.values():
        row['macs'] = 1
    path.write_text(json.dumps(rows))
    zoo('costs', 'mlfm/')
    macs = [row['macs'] for row in json.loads(path.read_text()).values()]
    assert macs == [1, 1_271_351_296]
    with pytest.raises(SystemExit, match=r"no config .*\['vgg'\]"):
        zoo('costs', 'vgg')


def test_a_readme_without_place_for_the_table(small: Path, zoo: Zoo) -> None:
    zoo('costs')
    (small / 'README.md').write_text('nothing')
    with pytest.raises(SystemExit, match='<!-- published: begin -->'):
        zoo('tables')


def test_results_of_a_folder_that_holds_none(small: Path, zoo: Zoo) -> None:
    with pytest.raises(SystemExit, match='holds 0 configs'):
        zoo('results', small)
