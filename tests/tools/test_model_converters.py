"""The authors' weights, in our models, on real photographs."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.fileio import load

from tests.tools.helpers import write_image

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
    ('published', 'config', 'top1', 'top5'),
    [
        ('baseline', 'configs/baseline/mobilenetv2_0.1_in100.py', 65, 86),
        (
            'mlfm_concat',
            'configs/mlfm/mobilenetv2_0.1_concat_in100.py',
            63,
            89,
        ),
    ],
)
def test_as_right_as_the_published_code(
    published: str,
    config: str,
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
    )
    assert tested.returncode == 0, tested.stderr
    metrics = load(result)
    assert metrics['accuracy/top1'] == top1
    assert metrics['accuracy/top5'] == top5


def test_another_config_is_refused(
    authors_weights: Path, tmp_path: Path
) -> None:
    """The network of the paper's table has the memory in its other form."""
    source = authors_weights / 'authors_mobilenetv2_x0.1_mlfm_concat.pth'
    checkpoint = tmp_path / 'converted.pth'
    converted = run(CONVERTER, source, checkpoint)
    assert converted.returncode == 0, converted.stderr
    picture = tmp_path / 'photo.png'
    write_image(picture, 0, 100)
    shown = run(
        *('tools/image_demo.py', picture, f'configs/mlfm/{NET}', checkpoint),
        *('--out', tmp_path / 'shown.png'),
    )
    (last,) = shown.stderr.strip().splitlines()[-1:]
    assert shown.returncode and not (tmp_path / 'shown.png').exists()
    assert 'belong to mobilenetv2_0.1_concat_in100' in last
    assert "update='concat'" in last and 'Traceback' not in shown.stderr


def test_what_is_no_published_checkpoint(tmp_path: Path) -> None:
    missing = run(CONVERTER, tmp_path / 'none.pth', tmp_path / 'out.pth')
    assert missing.returncode and 'there is no checkpoint' in missing.stderr
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
