""".dev_scripts/zoo.py and pages.py, on a repository of two configs."""

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import pages
import zoo as program
from model_zoo.records import ARMS

REPO = Path(__file__).resolve().parents[2]
MARKS = '# A\n\n<!-- {0}: begin -->\n<!-- {0}: end -->\n\nb\n'
Zoo = Callable[..., None]


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
    for arm in ARMS:
        page = tmp_path / 'configs' / arm / 'README.md'
        page.parent.mkdir(exist_ok=True)
        page.write_text(MARKS.format('configs'))
    with (tmp_path / 'configs/mlfm/README.md').open('a') as file:
        file.write(MARKS.format('published'))
    return tmp_path


@pytest.fixture
def zoo(small: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zoo]:
    """The program, in the small repository."""
    monkeypatch.setattr(program, 'ROOT', small)

    def call(*args: object) -> None:
        monkeypatch.setattr('sys.argv', ['zoo.py', *map(str, args)])
        program.main()

    yield call
    # Counting silences what the necks log.
    logging.disable(logging.NOTSET)


@pytest.fixture
def write_pages(small: Path, monkeypatch: pytest.MonkeyPatch) -> Zoo:
    """The writer of all pages, of those of the zoo."""
    monkeypatch.setattr(pages, 'ROOT', small)
    monkeypatch.setattr(pages, 'GENERATORS', (program.generate,))

    def call(*args: str) -> None:
        monkeypatch.setattr('sys.argv', ['pages.py', *args])
        pages.main()

    return call


def test_from_counts_to_tables(
    small: Path,
    zoo: Zoo,
    write_pages: Zoo,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match='does not fit the configs'):
        write_pages()
    zoo('costs')
    printed = capsys.readouterr().out
    assert '[1/2] configs/baseline/resnet10_in100.py: 4,957,092' in printed
    assert '[2/2] configs/mlfm/resnet10_in100.py: 5,173,412' in printed
    assert 'now run: make docs' in printed
    costs = small / 'configs/zoo/costs.json'
    assert len(json.loads(costs.read_text())) == 2

    with pytest.raises(SystemExit, match=r'out of date: .*README.md; run'):
        write_pages('--check')
    assert not (small / 'model-index.yml').exists()
    write_pages()
    write_pages('--check')
    assert (small / 'model-index.yml').is_file()
    page = small / 'configs/mlfm/README.md'
    text = page.read_text()
    assert text.startswith('# A\n') and text.endswith('\n\nb\n')
    assert '| 77.58 | 78.64 | 4.957 → 5.173 |' in text
    page.write_text(page.read_text().replace('78.64', '99.99'))
    with pytest.raises(SystemExit, match=r'date: configs/mlfm/README.md; run'):
        write_pages('--check')


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


def test_a_page_without_place_for_the_table(
    small: Path, zoo: Zoo, write_pages: Zoo
) -> None:
    zoo('costs')
    page = small / 'configs/mlfm/README.md'
    page.write_text(MARKS.format('configs'))
    with pytest.raises(SystemExit, match='<!-- published: begin -->'):
        write_pages()


def test_results_of_a_folder_that_holds_none(small: Path, zoo: Zoo) -> None:
    (small / 'empty').mkdir()
    with pytest.raises(SystemExit, match='holds 0 configs'):
        zoo('results', small / 'empty')
