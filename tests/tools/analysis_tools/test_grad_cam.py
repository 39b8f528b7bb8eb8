import shutil
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip('pytorch_grad_cam')

import grad_cam
from tests.analysis.networks import save_weights, two_tests
from tests.tools.helpers import run_tool, write_digits_config, write_image

TOOL = 'analysis_tools/grad_cam.py'


def test_two_networks(tmp_path: Path) -> None:
    words = []
    for arm in ('baseline', 'mlfm'):
        config = write_digits_config(tmp_path, arm)
        weights = save_weights(config)
        other = shutil.copy(weights, tmp_path / f'{arm}_s1.pth')
        words += [f'{arm}={config}', weights, other]  # two seeds
    write_image(tmp_path / 'x.png', 0, 100)
    printed = run_tool(
        *(TOOL, *words, '--images', 'x.png', '--class', '3', '--out', 'out'),
        cwd=tmp_path,
    )
    assert 'wrote out/grad_cam.png' in printed
    with Image.open(tmp_path / 'out' / 'grad_cam.png') as picture:
        assert picture.width > 700
    lines = (tmp_path / 'out' / 'grad_cam.csv').read_text().splitlines()
    assert [line.split(',')[:4] for line in lines[1:]] == [
        ['x.png', 'baseline', 'layer4', '3'],
        ['x.png', 'mlfm', 'layer4', '3'],
    ]


def test_different_test_data_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = two_tests(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', ['grad_cam.py', *words])
    with pytest.raises(SystemExit, match=r'max_per_class.*--cfg-options'):
        grad_cam.main()
