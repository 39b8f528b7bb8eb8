import json
from pathlib import Path

import pytest
from PIL import Image

import memory_view
from tests.analysis.networks import save_weights
from tests.tools.helpers import run_tool, write_digits_config, write_image

TOOL = 'analysis_tools/memory_view.py'


def test_a_picture_and_its_numbers(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    weights = save_weights(config)
    write_image(tmp_path / 'my photo.png', 0, 100)
    printed = run_tool(
        *(TOOL, config, weights, '--images', 'my photo.png', '--out', 'out'),
        cwd=tmp_path,
    )
    assert 'wrote out/memory_my_photo.png' in printed
    with Image.open(tmp_path / 'out' / 'memory_my_photo.png') as picture:
        assert picture.width > 500
    text = (tmp_path / 'out' / 'memory_my_photo.json').read_text()
    assert len(json.loads(text)['rows']) == 5
    csv = (tmp_path / 'out' / 'memory_my_photo.csv').read_text()
    assert csv.startswith('tap,stride,channels')


def test_pictures_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    weights = save_weights(config)
    pictures = ('a/1.png', 'b/1.png', 'a/1.jpg')
    for seed, name in enumerate(pictures):
        write_image(tmp_path / name, seed, 100)
    words = [config, weights, '--count', 9, '--out', 'out']
    words += ['--images', *pictures]
    monkeypatch.setattr('sys.argv', ['x', *map(str, words)])
    monkeypatch.chdir(tmp_path)
    memory_view.main()
    found = sorted(path.stem for path in Path('out').glob('*.json'))
    assert found == ['memory_1', 'memory_1_2', 'memory_1_3']
    assert len({p.read_bytes() for p in Path('out').glob('*.csv')}) == 3


def test_a_network_without_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_digits_config(tmp_path)
    weights = save_weights(config)
    write_image(tmp_path / 'x.png', 0, 100)
    words = [config, weights, '--images', tmp_path / 'x.png']
    monkeypatch.setattr('sys.argv', ['x', *map(str, words)])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match='ImageClassifier has no MLFMNeck'):
        memory_view.main()
