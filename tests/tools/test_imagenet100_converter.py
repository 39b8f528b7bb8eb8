"""tools/dataset_converters/imagenet100.py, on real photographs."""

from pathlib import Path

import pytest

from mlfm_mm.datasets import ImageNet100
from tests.small_runs import kaggle_layout
from tests.tools.helpers import run_tool

TOOL = 'dataset_converters/imagenet100.py'


@pytest.fixture
def kaggle(imagenet100_samples: Path, tmp_path: Path) -> Path:
    return kaggle_layout(imagenet100_samples, tmp_path / 'kaggle')


def test_check_reports_counts(kaggle: Path, tmp_path: Path) -> None:
    printed = run_tool(
        *(TOOL, 'check', kaggle, '--decode'), cwd=tmp_path, fails=True
    )
    for split in ('train', 'val'):
        assert (
            f'{split}: 100 images of 100 classes (kaggle layout), '
            '1 to 1 a class'
        ) in printed
    # One photograph a class is not the whole set.
    assert 'n01440764 has 1 images, not 1300' in printed
    assert 'NOT complete' in printed


def test_links_then_reads(kaggle: Path, tmp_path: Path) -> None:
    target = tmp_path / 'merged'
    printed = run_tool(TOOL, 'link', kaggle, target, cwd=tmp_path)
    assert f'linked {target}/train' in printed
    for split in ('train', 'val'):
        assert len(ImageNet100(str(target), split)) == 100


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    printed = run_tool(
        TOOL,
        'link',
        tmp_path / 'no',
        tmp_path / 'new',
        cwd=tmp_path,
        fails=True,
    )
    last = printed.strip().splitlines()[-1]
    assert last.startswith('imagenet100.py: There is no folder')
    assert 'kaggle datasets download' in last
    assert 'Traceback' not in printed and not (tmp_path / 'new').exists()
