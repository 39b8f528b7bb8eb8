"""ImageNet-100 in all layouts, real and invented, whole and damaged."""

from pathlib import Path

import pytest

pytest.importorskip('mmpretrain')

from mlfm_mm.datasets import FolderError, ImageNet100
from tests.datasets.imagenet100.trees import (
    WNIDS,
    make_class,
    write_kaggle,
)

LOAD = [dict(type='mmpretrain.LoadImageFromFile')]


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    return write_kaggle(tmp_path / 'kaggle')


def test_kaggle_layout(kaggle: Path) -> None:
    train = ImageNet100(str(kaggle))
    assert (len(train), len(ImageNet100(str(kaggle), 'val'))) == (200, 100)
    assert len(train.CLASSES) == len(train.metainfo['wnids']) == 100
    names = (train.CLASSES[label] for label in (0, 86, 99))
    assert [*names] == [
        'tench, Tinca tinca',
        'white stork, Ciconia ciconia',
        'sea lion',
    ]
    for i in (0, 99, 199):
        info = train.get_data_info(i)
        assert WNIDS[info['gt_label']] == Path(info['img_path']).parent.name
        assert info['gt_label'] == i // 2
    assert 'Split: \ttrain' in repr(train)


def test_options_that_do_not_exist(kaggle: Path) -> None:
    with pytest.raises(ValueError, match="not 'test'"):
        ImageNet100(str(kaggle), 'test')
    with pytest.raises(ValueError, match="not 'crash'"):
        ImageNet100(str(kaggle), unreadable='crash')


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged."""
    lines: list[str] = []
    monkeypatch.setattr(
        'mlfm_mm.datasets.unreadable.print_log',
        lambda message, **options: lines.append(message),
    )
    return lines


def test_unreadable_images_are_skipped(kaggle: Path, log: list[str]) -> None:
    broken = kaggle / 'train.X1' / WNIDS[0] / f'{WNIDS[0]}_1.JPEG'
    broken.write_bytes(b'<html>Not Found</html>')
    train = ImageNet100(str(kaggle), pipeline=LOAD)
    assert len(train) == 200
    for _ in range(3):
        assert train[1]['img'].shape == (4, 4, 3)
    assert log == [f'{broken} cannot be decoded and is replaced.']

    log.clear()
    empty = kaggle / 'val.X' / WNIDS[3] / f'{WNIDS[3]}_0.JPEG'
    empty.write_bytes(b'')
    make_class(empty.parent, 2)
    empty.write_bytes(b'')
    assert len(ImageNet100(str(kaggle), 'val')) == 100
    assert log == [f'{empty} is no image and is left out.']


def test_an_image_that_breaks_during_a_run(
    kaggle: Path, log: list[str]
) -> None:
    val = ImageNet100(str(kaggle), 'val', pipeline=LOAD)
    Path(val.get_data_info(99)['img_path']).unlink()
    assert val[99]['gt_label'] == 0
    assert len(log) == 1 and 'is replaced' in log[0]


def test_unreadable_images_are_refused(kaggle: Path) -> None:
    options = dict(data_root=str(kaggle), unreadable='refuse', pipeline=LOAD)
    train = ImageNet100(**options)
    broken = kaggle / 'train.X1' / WNIDS[0] / f'{WNIDS[0]}_1.JPEG'
    broken.write_bytes(b'')
    with pytest.raises(FolderError, match=f'{broken} cannot be decoded'):
        train[1]
    with pytest.raises(FolderError, match=f'1 of 200 files .*: {broken}'):
        ImageNet100(**options)


def test_faults_of_the_pipeline_are_not_the_images(kaggle: Path) -> None:
    def fail(results: dict) -> dict:
        raise RuntimeError('ours')

    dataset = ImageNet100(str(kaggle), pipeline=[*LOAD, fail])
    with pytest.raises(RuntimeError, match='ours'):
        dataset[0]


def test_real_photographs(imagenet100_samples: Path) -> None:
    dataset = ImageNet100(str(imagenet100_samples), 'val', pipeline=LOAD)
    assert len(dataset) == 100
    name = Path(dataset.get_data_info(17)['img_path']).stem
    described = dataset.CLASSES[17].split(',')[0].replace(' ', '_')
    assert described.lower() in name.lower()
    assert dataset[17]['img'].ndim == 3
