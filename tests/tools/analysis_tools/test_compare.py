"""Two tiny U-Nets, trained for two steps, side by side."""

import json
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import compare as tool
from tests.segment_runs import FOLDERS


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The program, in this process."""

    def call(*args: object) -> None:
        monkeypatch.setattr('sys.argv', ['compare.py', *map(str, args)])
        tool.main()

    return call


def test_two_runs(
    runs: Path,
    compare: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(runs)
    compare(*FOLDERS.values(), '--test', '--pictures', 2, '--out', 'out')
    printed = capsys.readouterr().out
    assert 'ground' in printed and 'wrote out/results.md' in printed
    out = runs / 'out'
    table = (out / 'results.md').read_text()
    assert '| model | seeds | params |' in table
    assert '| run_mlfm | 1 |' in table and 'after 2 iterations' in table
    content = json.loads((out / 'classes.json').read_text())
    for name in FOLDERS.values():
        score = content['scores'][name]
        assert score['classes'] == ['ground', 'square']
        mean = sum(score['iou']) / 2
        assert score['overall']['mIoU'] == pytest.approx(mean, abs=0.01)
        assert score['checkpoint'] == 'iter_2.pth'
    assert '| **mIoU** |' in (out / 'classes.md').read_text()
    for name in ('curves.png', 'predictions.png'):
        with Image.open(out / name) as picture:
            assert picture.format == 'PNG'


def test_mistakes_get_one_line(
    compare: Callable[..., None], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match=r'give a work folder of tools/train'):
        compare(tmp_path)


@pytest.fixture
def copied(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The runs, where a test may change them, and work."""
    shutil.copytree(runs, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_weights_of_another_network(
    copied: Path, compare: Callable[..., None]
) -> None:
    plain, memory = (Path(folder) for folder in FOLDERS.values())
    shutil.copy(plain / 'iter_2.pth', memory / 'iter_2.pth')
    command = memory, '--test', '--pictures', 1, '--out', 'out'
    with pytest.raises(SystemExit, match=r'neck\.units.* is missing'):
        compare(*command)
    compare(*command, '--allow-partial')
    assert (copied / 'out' / 'classes.md').is_file()


def test_lost_weights_are_missed_before_the_first_test(
    copied: Path,
    compare: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (copied / FOLDERS['mlfm'] / 'last_checkpoint').unlink()
    # Nor are networks built before.
    monkeypatch.setattr(tool, 'summarize', pytest.fail)
    with pytest.raises(SystemExit, match=r'run_mlfm holds no weights'):
        compare(*FOLDERS.values(), '--test', '--out', 'out')


def test_a_file_is_in_the_way(
    copied: Path, compare: Callable[..., None]
) -> None:
    (copied / 'README.md').write_text('mine')
    with pytest.raises(SystemExit, match=r'README\.md is a file'):
        compare(*FOLDERS.values(), '--out', 'README.md')


def test_classifiers_are_compared_without_mmseg(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, 'mmseg', None)
    monkeypatch.delitem(sys.modules, 'mmseg.evaluation', raising=False)
    monkeypatch.delitem(sys.modules, 'mlfm_mm.analysis.segments', False)
    monkeypatch.setattr('sys.path', list(sys.path))
    runpy.run_path(tool.__file__)
