import json
import pickle
from pathlib import Path

import pytest
from PIL import Image

from tests.analysis.networks import save_weights
from tests.tools.helpers import (
    run_tool,
    write_digits_config,
    write_segments_config,
)


@pytest.fixture(scope='module')
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    config = write_digits_config(tmp_path_factory.mktemp('digits'), 'mlfm')
    return config, save_weights(config)


@pytest.fixture(scope='module')
def squares(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    config = write_segments_config(tmp_path_factory.mktemp('squares'))
    return config, save_weights(config)


def test_classifier_predictions(
    digits: tuple[Path, Path], tmp_path: Path
) -> None:
    run_tool(
        *('test.py', *digits, '--out', 'pred.pkl', '--show-dir', 'shown'),
        cwd=tmp_path,
    )
    predictions = pickle.loads((tmp_path / 'pred.pkl').read_bytes())
    assert len(predictions) == 20
    assert predictions[0]['pred_score'].shape == (10,)
    assert len(list((tmp_path / 'shown').glob('*.png'))) == 20


def test_classifier_metrics_with_augmentation(
    digits: tuple[Path, Path], tmp_path: Path
) -> None:
    run_tool(
        *('test.py', *digits, '--tta', '--work-dir', 'out'),
        *('--out', 'metrics.json', '--out-item', 'metrics'),
        cwd=tmp_path,
    )
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    assert 0 <= metrics['accuracy/top1'] <= 100
    assert (tmp_path / 'out').is_dir()


def test_segmentor_predictions(
    squares: tuple[Path, Path], tmp_path: Path
) -> None:
    printed = run_tool(
        *('test.py', *squares, '--out', 'pred', '--show-dir', 'shown'),
        cwd=tmp_path,
    )
    assert 'mIoU' in printed
    files = sorted((tmp_path / 'pred').glob('*.png'))
    assert [file.stem for file in files] == list('012345')
    assert Image.open(files[0]).size == (32, 32)
    # Named as the images, and nowhere else.
    shown = [path.name for path in tmp_path.rglob('*.png')]
    assert sorted(shown) == sorted([f'{i}.png' for i in range(6)] * 2)
    assert len(list((tmp_path / 'shown').iterdir())) == 6


def test_segmentor_metrics_with_augmentation(
    squares: tuple[Path, Path], tmp_path: Path
) -> None:
    run_tool(
        *('test.py', *squares, '--tta'),
        *('--out', 'metrics.json', '--out-item', 'metrics'),
        cwd=tmp_path,
    )
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    assert 0 <= metrics['mIoU'] <= 100


def test_weights_of_another_network(
    digits: tuple[Path, Path], tmp_path: Path
) -> None:
    plain = write_digits_config(tmp_path, 'baseline')
    weights = save_weights(plain)
    printed = run_tool('test.py', digits[0], weights, cwd=tmp_path, fails=True)
    last = printed.strip().splitlines()[-1]
    assert 'neck.' in last and 'is missing' in last
    assert '--allow-partial' in last and 'accuracy' not in printed
    printed = run_tool(
        'test.py', digits[0], weights, '--allow-partial', cwd=tmp_path
    )
    assert 'accuracy/top1' in printed


def test_missing_checkpoint(digits: tuple[Path, Path], tmp_path: Path) -> None:
    printed = run_tool(
        'test.py', digits[0], 'no.pth', cwd=tmp_path, fails=True
    )
    last = printed.strip().splitlines()[-1]
    assert last == (
        "test.py: checkpoint: there is no checkpoint 'no.pth': check the path"
    )
