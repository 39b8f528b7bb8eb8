"""Two runs through the tools, side by side."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.tools.helpers import run_tool, write_segments_config


@pytest.mark.slow
def test_two_runs(tmp_path: Path) -> None:
    config = write_segments_config(tmp_path)
    text = config.read_text().replace('SyncBN', 'BN')
    text += 'test_pipeline = [*load[:1], *pack]\n'
    neck = "    neck=dict(type='mlfm_mm.MLFMNeck'),\n"
    assert neck in text
    for arm, content in (('mlfm', text), ('base', text.replace(neck, ''))):
        (tmp_path / arm).mkdir()
        path = tmp_path / arm / 'squares.py'
        path.write_text(content)
        run_tool('train.py', path, '--work-dir', f'run_{arm}', cwd=tmp_path)
    run_tool(
        *('compare_segmentations.py', 'run_base', 'run_mlfm'),
        *('--out', 'results', '--pictures', 2),
        cwd=tmp_path,
    )
    content = json.loads((tmp_path / 'results' / 'results.json').read_text())
    for arm in ('baseline', 'mlfm'):
        score = content['scores'][arm]
        assert score['classes'] == ['ground', 'square']
        mean = sum(score['iou']) / 2
        assert score['overall']['mIoU'] == pytest.approx(mean, abs=0.01)
    for name in ('curves.png', 'predictions.png'):
        with Image.open(tmp_path / 'results' / name) as picture:
            assert picture.format == 'PNG'


def test_mistakes_get_one_line(tmp_path: Path) -> None:
    printed = run_tool(
        'compare_segmentations.py', '.', '.', cwd=tmp_path, fails=True
    )
    assert 'give a work folder of tools/train.py' in printed
    assert 'Traceback' not in printed
