import json
from pathlib import Path

import pytest
from PIL import Image

import spectrum
from tests.analysis.networks import save_weights, two_tests
from tests.tools.helpers import run_tool, write_digits_config, write_image

TOOL = 'analysis_tools/spectrum.py'


def test_two_networks(tmp_path: Path) -> None:
    words = []
    for arm in ('baseline', 'mlfm'):
        config = write_digits_config(tmp_path, arm)
        words += [f'{arm}={config}', save_weights(config)]
    for i in range(2):
        write_image(tmp_path / 'photos' / f'{i}.png', i, 100)
    printed = run_tool(
        *(TOOL, *words, '--images', 'photos', '--out', 'out'), cwd=tmp_path
    )
    assert 'wrote out/spectrum.png' in printed
    with Image.open(tmp_path / 'out' / 'spectrum.png') as picture:
        assert picture.width > 1000
    found = json.loads((tmp_path / 'out' / 'spectrum.json').read_text())
    assert set(found['curves']) == {'baseline', 'mlfm'}


def test_different_test_data_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = two_tests(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', ['spectrum.py', *words])
    with pytest.raises(SystemExit, match=r'max_per_class.*--cfg-options'):
        spectrum.main()
