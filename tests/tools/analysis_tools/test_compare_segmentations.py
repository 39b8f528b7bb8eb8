"""Two tiny U-Nets, trained for two steps, side by side."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mmengine.config import Config
from PIL import Image

import compare_segmentations as tool
from mlfm_mm.engine import UsageError
from tests.tools.analysis_tools.conftest import FOLDERS


@pytest.fixture
def copied(runs: Path, tmp_path: Path) -> Path:
    """The runs again, for tests that change them."""
    for name in FOLDERS.values():
        shutil.copytree(runs / name, tmp_path / name)
    return tmp_path


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
    compare(*FOLDERS.values(), '--pictures', 2)
    printed = capsys.readouterr().out
    assert '| ground |' in printed and '| **mIoU** |' in printed
    # Beside the run, so that nothing published is written over.
    out = runs / 'run_mlfm' / 'compared'
    assert 'Saved in run_mlfm/compared' in printed
    content = json.loads((out / 'results.json').read_text())
    for arm in FOLDERS:
        score = content['scores'][arm]
        assert score['classes'] == ['ground', 'square']
        mean = sum(score['iou']) / 2
        assert score['overall']['mIoU'] == pytest.approx(mean, abs=0.01)
        assert score['checkpoint'] == 'iter_2.pth'
    assert 'after 2 iterations, one run each, seed 3' in content['caption']
    for name in ('curves.png', 'predictions.png'):
        with Image.open(out / name) as picture:
            assert picture.format == 'PNG'


def rewrite(config: Path, old: str, new: str) -> None:
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))


def test_runs_on_different_data_are_refused(
    copied: Path, compare: Callable[..., None]
) -> None:
    config = copied / 'run_baseline' / 'squares.py'
    rewrite(config, "/squares'", "/circles'")
    paths = [copied / name for name in FOLDERS.values()]
    with pytest.raises(SystemExit, match=r'not on the same data: .*circles'):
        compare(*paths, '--out', copied / 'results')
    assert not (copied / 'results').exists()


def test_recipes_may_differ(runs: Path) -> None:
    plain, mlfm = (
        Config.fromfile(runs / name / 'squares.py')
        for name in FOLDERS.values()
    )
    mlfm.train_dataloader.dataset.pipeline = []
    mlfm.val_dataloader = plain.val_dataloader = None
    tool.check_data(dict(baseline=plain, mlfm=mlfm), None)
    # But a test on pictures of another size is another test.
    mlfm.test_dataloader.dataset.pipeline = []
    with pytest.raises(UsageError, match=r'same data: test_.*\.pipeline is'):
        tool.check_data(dict(baseline=plain, mlfm=mlfm), None)


def test_data_that_were_moved(runs: Path, copied: Path) -> None:
    for name in FOLDERS.values():
        config = copied / name / 'squares.py'
        rewrite(config, f'{runs}/squares', f'/gone/{name}')
    cfgs = {
        arm: Config.fromfile(copied / name / 'squares.py')
        for arm, name in FOLDERS.items()
    }
    with pytest.raises(UsageError, match=r'data_root is .*or --data FOLDER'):
        tool.check_data(cfgs, None)
    tool.check_data(cfgs, str(runs / 'squares'))


def test_folders_in_the_wrong_order_are_refused(
    runs: Path, compare: Callable[..., None]
) -> None:
    with pytest.raises(SystemExit, match='has MLFMNeck: give first'):
        compare(runs / 'run_mlfm', runs / 'run_baseline')


def test_mistakes_get_one_line(
    compare: Callable[..., None],
    tmp_path: Path,
) -> None:
    with pytest.raises(SystemExit, match=r'give a work folder of tools/train'):
        compare(tmp_path, tmp_path)
