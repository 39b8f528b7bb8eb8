import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import demo.quickstart.quickstart as program
from tests.tools.helpers import REPO, run, run_tool, write_image_folder

PROGRAM = str(REPO / 'demo' / 'quickstart' / 'quickstart.py')


def only_run(folder: Path) -> Path:
    (run,) = folder.iterdir()
    return run


def check_results(run: Path, networks: int = 2) -> dict:
    content = json.loads((run / 'results.json').read_text())
    with open(run / 'results.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(content['rows']) == networks
    baseline, mlfm = content['rows']
    assert mlfm['params'] > baseline['params']
    assert mlfm['macs'] > baseline['macs']
    assert all(row['epoch_seconds'] > 0 for row in content['rows'])
    assert 'seed' in content['caption'] and 'epochs' in content['settings']
    markdown = (run / 'results.md').read_text()
    assert markdown.startswith('| model | params | MACs |')
    assert 'MLFM' in markdown
    with Image.open(run / 'curves.png') as picture:
        assert picture.format == 'PNG' and picture.width > 1000
    for arm in ('baseline_s0', 'mlfm_s0'):
        assert (run / arm / 'epoch_1.pth').is_file()
        assert list((run / arm).glob('*.py'))
    return content


@pytest.fixture
def quickstart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """The program, in this process, which saves seconds of imports."""
    monkeypatch.chdir(tmp_path)

    def call(*args: object) -> None:
        monkeypatch.setattr('sys.argv', ['quickstart.py', *map(str, args)])
        program.main()

    return call


def test_digits(tmp_path: Path) -> None:
    # A new interpreter, in which the hosts are imported: they print, too.
    command = [sys.executable, PROGRAM, '--epochs', '1', '--seeds', '2']
    command += ['--max-per-class', '10', '--work-dir', 'runs']
    done = run(command, tmp_path)
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert 'epoch  1/1' in printed and ' left\n' in printed
    # The log stays in its file.
    assert 'INFO' not in printed and 'Warning' not in printed
    assert len(printed.splitlines()) < 30
    content = check_results(only_run(tmp_path / 'runs'))
    assert '100 training' in content['caption']
    assert 'seeds 0 to 1' in content['caption']
    for runs in content['runs'].values():
        assert [*runs] == ['0', '1']


def test_own_images(
    quickstart: Callable[..., None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_image_folder(tmp_path / 'images', 6)
    (tmp_path / 'images' / 'dark' / 'broken.jpg').write_text('no image')
    quickstart(
        *('--data', 'images', '--epochs', 1),
        *('--image-size', 32, '--work-dir', 'runs'),
    )
    printed = capsys.readouterr().out
    assert 'bright 5+1, dark 5+1' in printed
    assert 'Left out: 1 files' in printed
    content = check_results(only_run(tmp_path / 'runs'))
    assert content['caption'].startswith('images: 2 classes')


@pytest.mark.slow
def test_second_run_starts_anew(tmp_path: Path) -> None:
    for _ in range(2):
        run_tool(
            *(PROGRAM, '--epochs', 1, '--max-per-class', 10),
            *('--seeds', 1, '--work-dir', 'runs'),
            cwd=tmp_path,
        )
    first, second = sorted((tmp_path / 'runs').iterdir())
    one, two = check_results(first), check_results(second)
    for name, curve in one['runs'].items():
        assert curve['0']['loss'] == two['runs'][name]['0']['loss']


@pytest.mark.slow
def test_real_images(tiny_imagenet: Path, tmp_path: Path) -> None:
    run_tool(
        *(PROGRAM, '--data', tiny_imagenet, '--epochs', 1),
        *('--work-dir', 'runs'),
        cwd=tmp_path,
    )
    check_results(only_run(tmp_path / 'runs'))


def test_mistakes_get_one_line(
    quickstart: Callable[..., None], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as caught:
        quickstart('--data', 'nowhere')
    assert caught.value.code == (
        "quickstart.py: there is no folder 'nowhere': check the path"
    )
    assert not (tmp_path / 'work_dirs').exists()


def test_missing_packages_are_named(
    quickstart: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, 'NEEDED', ('torch', 'no_such_package'))
    with pytest.raises(SystemExit, match=r'missing \(no_such_package\): run'):
        quickstart()
