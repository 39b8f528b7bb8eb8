import sys

import numpy as np
import pytest

pytest.importorskip('mmpretrain')
sklearn = pytest.importorskip('sklearn.datasets')

from mmengine.registry import DATASETS as ROOT_DATASETS  # noqa: E402

from mlfm_mm.datasets import Digits  # noqa: E402

FIRST_LABELS = [8, 2, 8, 0, 9, 5, 5, 6, 5, 0, 9, 8]


def pixels(dataset: Digits) -> set[bytes]:
    return {dataset[i]['img'].tobytes() for i in range(len(dataset))}


def test_split_is_complete_and_stratified() -> None:
    train, test = Digits(), Digits(split='test')
    assert len(train) + len(test) == 1797
    # No image is in both; a few of the collection are alike anyway.
    assert len(pixels(train) & pixels(test)) <= 3
    counts = [np.bincount(d.get_gt_labels()) for d in (train, test)]
    shares = counts[1] / (counts[0] + counts[1])
    assert np.all((shares > 0.18) & (shares <= 0.2))


def test_images_are_those_of_scikit_learn() -> None:
    source = sklearn.load_digits()
    train = Digits()
    first = train[0]
    assert first['img'].shape == (8, 8, 3) and first['img'].dtype == np.uint8
    assert first['gt_label'] == source.target[0]
    np.testing.assert_array_equal(
        first['img'][..., 1], np.rint(source.images[0] * 255 / 16)
    )
    assert max(train[i]['img'].max() for i in range(20)) == 255


def test_split_does_not_change() -> None:
    """Accuracies can be compared only while these images stay these."""
    test = Digits(split='test')
    assert test.get_gt_labels()[:12].tolist() == FIRST_LABELS
    assert len(test) == 355


def test_limit() -> None:
    few = Digits(split='test', max_per_class=3)
    assert np.bincount(few.get_gt_labels()).tolist() == [3] * 10
    assert pixels(few) <= pixels(Digits(split='test'))


def test_pipeline_and_registry() -> None:
    dataset = ROOT_DATASETS.build(
        dict(
            type='mlfm_mm.Digits',
            pipeline=[
                dict(type='mmpretrain.Resize', scale=32),
                dict(type='mmpretrain.PackInputs'),
            ],
        )
    )
    packed = dataset[0]
    assert packed['inputs'].shape == (3, 32, 32)
    assert tuple('0123456789') == dataset.CLASSES
    assert 'Split' in repr(dataset)


def test_unknown_split() -> None:
    with pytest.raises(ValueError, match="not 'val'"):
        Digits(split='val')


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'sklearn.datasets', None)
    with pytest.raises(ImportError, match='pip install scikit-learn'):
        Digits()
