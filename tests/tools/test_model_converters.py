"""The authors' weights, in our models, on real photographs."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.fileio import load

REPO = Path(__file__).resolve().parents[2]
CONVERTER = REPO / 'tools/model_converters/authors_mobilenetv2.py'
NET = 'mobilenetv2_0.1_in100.py'


def run(*command: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=REPO,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ('published', 'config', 'options', 'top1', 'top5'),
    [
        ('baseline', f'configs/baseline/{NET}', [], 65, 86),
        (
            'mlfm_concat',
            f'configs/mlfm/{NET}',
            ['model.neck.update=concat'],
            63,
            89,
        ),
    ],
)
def test_as_right_as_the_published_code(
    published: str,
    config: str,
    options: list[str],
    top1: float,
    top5: float,
    authors_weights: Path,
    imagenet100_samples: Path,
    tmp_path: Path,
) -> None:
    source = authors_weights / f'authors_mobilenetv2_x0.1_{published}.pth'
    checkpoint = tmp_path / 'converted.pth'
    converted = run(CONVERTER, source, checkpoint)
    assert converted.returncode == 0, converted.stderr
    result = tmp_path / 'metrics.json'
    tested = run(
        'tools/test.py',
        config,
        checkpoint,
        '--work-dir',
        tmp_path / 'work',
        '--out',
        result,
        '--out-item',
        'metrics',
        '--cfg-options',
        f'test_dataloader.dataset.data_root={imagenet100_samples}',
        'test_dataloader.num_workers=0',
        'test_dataloader.persistent_workers=False',
        'test_dataloader.batch_size=50',
        *options,
    )
    assert tested.returncode == 0, tested.stderr
    # Every weight found its place, or the model would not be the authors'.
    assert 'missing keys' not in tested.stdout + tested.stderr
    assert 'unexpected key' not in tested.stdout + tested.stderr
    metrics = load(result)
    assert metrics['accuracy/top1'] == top1
    assert metrics['accuracy/top5'] == top5


def test_what_is_no_published_checkpoint(tmp_path: Path) -> None:
    missing = run(CONVERTER, tmp_path / 'none.pth', tmp_path / 'out.pth')
    assert missing.returncode and 'does not exist' in missing.stderr
    other = tmp_path / 'other.pth'
    torch.save({'state_dict': {'layer1.weight': torch.zeros(1)}}, other)
    refused = run(CONVERTER, other, tmp_path / 'out.pth')
    assert refused.returncode
    assert "'layer1.weight' is not a weight of the authors'" in refused.stderr
    assert not (tmp_path / 'out.pth').exists()


def test_the_configs_use_the_published_pipeline() -> None:
    cfg = Config.fromfile(REPO / 'configs/mlfm' / NET)
    resize, crop = cfg.test_dataloader.dataset.pipeline[1:3]
    assert (resize.scale, crop.crop_size) == (int(256 / 0.875), 256)
