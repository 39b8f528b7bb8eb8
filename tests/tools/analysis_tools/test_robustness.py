import json
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from mmengine.config import Config
from PIL import Image

pytest.importorskip('mmpretrain')
pytest.importorskip('sklearn')

import robustness
from mlfm_mm.engine.models import build_model
from tests.analysis.networks import save_weights, two_tests
from tests.hosts import needs_mmseg
from tests.tools.helpers import (
    Harmful,
    run_tool,
    write_digits_config,
    write_segments_config,
)

TOOL = 'analysis_tools/robustness.py'
ARMS = 'baseline', 'mlfm'


def test_two_pairs(tmp_path: Path) -> None:
    command: list[object] = []
    for arm in ARMS:
        config = write_digits_config(tmp_path, arm)
        command.append(f'{arm}={config}')
        for seed in (0, 1):
            torch.manual_seed(seed)
            model = build_model(Config.fromfile(config))
            path = tmp_path / f'{arm}_{seed}.pth'
            torch.save(dict(state_dict=model.state_dict()), path)
            command.append(path)
    out = tmp_path / 'scores' / 'all.json'
    printed = run_tool(
        TOOL, *command, '--only', 'blur', '--out', out, cwd=tmp_path
    )
    scores = json.loads(out.read_text())
    assert list(scores) == ['baseline', 'mlfm']
    assert [len(runs) for runs in scores.values()] == [2, 2]
    names = ['clean', 'blur 0.5', 'blur 1', 'blur 2']
    assert list(scores['mlfm'][1]) == names
    assert 'mlfm - baseline' in printed and '±' in printed
    lines = out.with_suffix('.csv').read_text().splitlines()
    assert len(lines) == 1 + 2 * 2 * 4
    assert 'Areas under' in out.with_suffix('.md').read_text()
    with Image.open(out.with_suffix('.png')) as picture:
        assert picture.width > 1000


@needs_mmseg
def test_a_segmentor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_segments_config(tmp_path)
    out = tmp_path / 'scores.json'
    words = [str(config), str(save_weights(config)), '--out', str(out)]
    monkeypatch.setattr(
        'sys.argv', ['robustness.py', *words, '--only', 'jpeg']
    )
    robustness.main()
    ((scores,),) = json.loads(out.read_text()).values()
    assert list(scores) == ['clean', 'jpeg 50', 'jpeg 25', 'jpeg 10']
    assert all(0 <= score <= 100 for score in scores.values())


def test_an_address_is_read_with_care(tmp_path: Path) -> None:
    """What is not fetched before the run has not been looked at."""
    config = write_digits_config(tmp_path)
    (tmp_path / 'host:').mkdir()
    torch.save(dict(state_dict=Harmful()), tmp_path / 'host:' / 'net.pth')
    printed = run_tool(
        *(TOOL, config, 'host://net.pth', '--only', 'blur'),
        cwd=tmp_path,
        fails=True,
    )
    assert 'reading it would run code (posix.mkdir)' in printed
    assert 'Traceback' not in printed
    assert not (tmp_path / 'harmed').exists()


def test_a_model_without_weights(tmp_path: Path) -> None:
    printed = run_tool(TOOL, 'plain=x.py', cwd=tmp_path, fails=True)
    assert 'x.py needs its weights: give a checkpoint' in printed


def test_different_test_data_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = two_tests(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', ['robustness.py', *words])
    with pytest.raises(SystemExit, match=r'max_per_class.*--cfg-options'):
        robustness.main()


def test_a_later_mistake_is_met_before_the_first_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, mlfm = (write_digits_config(tmp_path, a) for a in ARMS)
    weights = save_weights(plain)
    monkeypatch.setattr(robustness, 'measure_robustness', pytest.fail)
    for other, message in (
        ('gone.pth', 'gone.pth'),
        (weights, r'neck\.units.* is missing'),
    ):
        words = map(str, (plain, weights, mlfm, other))
        monkeypatch.setattr('sys.argv', ['robustness.py', *words])
        with pytest.raises(SystemExit, match=message):
            robustness.main()


def test_scipy_is_missed_before_the_first_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = str(write_digits_config(tmp_path))
    words = [f'{name}={config}' for name in ARMS]
    command = [word for name in words for word in (name, 'a.pth', 'b.pth')]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, 'scipy', None)
    monkeypatch.setattr('sys.argv', ['robustness.py', *command])
    with pytest.raises(SystemExit, match='needs scipy: pip install scipy'):
        robustness.main()


def test_the_scores_of_a_checkpoint_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second test is interrupted."""
    monkeypatch.chdir(tmp_path)
    words = []
    for arm in ARMS:
        config = write_digits_config(tmp_path, arm)
        words += [f'{arm}={config}', str(save_weights(config))]
    measured = Mock(side_effect=[dict(clean=60.0), KeyboardInterrupt])
    monkeypatch.setattr(robustness, 'measure_robustness', measured)
    monkeypatch.setattr('sys.argv', ['robustness.py', *words, '--out', '.'])
    with pytest.raises(SystemExit):
        robustness.main()
    scores = json.loads(Path('robustness.json').read_text())
    assert scores == dict(baseline=[dict(clean=60.0)])
