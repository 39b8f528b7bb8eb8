"""tests/datasets/test_folders.py tries the layouts of whole data sets."""

from pathlib import Path

import pytest

from mlfm_mm.datasets.folder_layout import (
    TRAIN_NAMES,
    VAL_NAMES,
    FolderError,
    find_splits,
    new_folder,
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


def test_a_new_folder_gets_its_name_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / 'deep' / 'new'
    with new_folder(target) as folder:
        (folder / 'train').mkdir()
        assert not target.exists()
    assert [*target.parent.iterdir()] == [target]
    assert (target / 'train').is_dir()
    empty = tmp_path / 'empty'
    empty.mkdir()
    with new_folder(empty) as folder:
        (folder / 'a.txt').touch()
    assert (empty / 'a.txt').exists()


@pytest.mark.parametrize('error', [FolderError, KeyboardInterrupt])
def test_half_a_folder_does_not_stay(error: type, tmp_path: Path) -> None:
    with pytest.raises(error), new_folder(tmp_path / 'new') as folder:
        (folder / 'train').mkdir()
        raise error
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize('name', ['new', 'new.partial'])
def test_folders_that_are_not_new(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / 'a.txt').touch()
    with (
        pytest.raises(FolderError, match=f'{name} exists and is not empty'),
        new_folder(tmp_path / 'new'),
    ):
        pass
    assert (tmp_path / name / 'a.txt').exists()


def test_a_disk_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, 'is_mount', lambda self: True)
    with pytest.raises(FolderError, match='mounted'), new_folder(tmp_path):
        pass
    assert tmp_path.exists()
