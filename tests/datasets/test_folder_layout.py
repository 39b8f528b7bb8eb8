"""tests/datasets/test_folders.py tries the layouts of whole data sets."""

from pathlib import Path

import pytest

from mlfm_mm.datasets.folder_layout import (
    TRAIN_NAMES,
    VAL_NAMES,
    find_splits,
    split_word,
)


@pytest.mark.parametrize('name', TRAIN_NAMES + VAL_NAMES)
def test_names_of_splits(name: str) -> None:
    for text in (name, name.upper(), f'{name.title()}_Set', f'my-{name}'):
        assert split_word(text) == name


@pytest.mark.parametrize('name', ['test_tube', 'trains', 'set', '1', 'evals'])
def test_names_of_classes(name: str) -> None:
    assert split_word(name) is None


def test_a_split_needs_folders(tmp_path: Path) -> None:
    (tmp_path / 'train').mkdir()
    (tmp_path / 'bus').mkdir()
    assert find_splits(tmp_path) == (tmp_path, None)
    (tmp_path / 'train' / 'cat').mkdir()
    assert find_splits(tmp_path) == (tmp_path / 'train', None)
