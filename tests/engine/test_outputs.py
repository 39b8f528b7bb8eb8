import json
import os
from pathlib import Path

import pytest
from mmengine.dataset import BaseDataset

from mlfm_mm.engine import UsageError
from mlfm_mm.engine.outputs import (
    check_apart,
    check_names,
    make_folder,
    make_parent,
    whole_file,
)


def test_what_is_missing_is_made(tmp_path: Path) -> None:
    make_parent(tmp_path / 'a' / 'b' / 'table.json', '.json')
    make_folder(tmp_path / 'a' / 'c')
    found = sorted(path.name for path in (tmp_path / 'a').iterdir())
    assert found == ['b', 'c']


def test_what_is_read_is_not_written(tmp_path: Path) -> None:
    photo = tmp_path / 'photo.png'
    check_apart(photo, photo)  # there is neither
    photo.write_text('mine')
    check_apart(tmp_path / 'drawn.png', photo)
    (tmp_path / 'link.png').symlink_to(photo)
    for out in (photo, tmp_path / 'link.png'):
        with pytest.raises(UsageError, match='is what is read: give another'):
            check_apart(out, str(photo))


def test_what_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is read-only for an administrator.
    monkeypatch.setattr('os.access', lambda path, _: Path(path) != tmp_path)
    told = f'{tmp_path} is read-only: give another place'
    for make in (make_folder, make_parent):
        with pytest.raises(UsageError, match=told):
            make(tmp_path / 'a' / 'b')
    assert not list(tmp_path.iterdir())
    mine = tmp_path / 'mine'
    mine.mkdir()
    make_parent(mine / 'table.json')
    (mine / 'table.json').touch()
    monkeypatch.setattr('os.access', lambda path, _: Path(path) == mine)
    make_parent(mine / 'other.json')
    with pytest.raises(UsageError, match=r'table\.json is read-only'):
        make_parent(mine / 'table.json')


def test_what_is_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's folder, into which nobody else can look."""
    hidden = tmp_path / 'hidden'
    hidden.mkdir()
    look = os.stat

    def stat(path: str | Path, *args: object, **more: object) -> object:
        if hidden in Path(path).parents:
            raise PermissionError(path)
        return look(path, *args, **more)

    monkeypatch.setattr('os.stat', stat)
    monkeypatch.setattr('os.access', lambda path, _: Path(path) != hidden)
    for make in (make_folder, make_parent):
        with pytest.raises(UsageError, match='hidden is read-only'):
            make(hidden / 'a' / 'b')


def test_what_is_in_the_way(tmp_path: Path) -> None:
    page = tmp_path / 'README.md'
    page.write_text('mine')
    for make, path, message in (
        (make_folder, page, 'README.md is a file: give a folder'),
        (make_folder, page / 'in', 'README.md is a file: give a folder'),
        (make_parent, page / 'in', 'README.md is a file: give a folder'),
        (make_parent, tmp_path, 'is a folder: give the file to write'),
    ):
        with pytest.raises(UsageError, match=message):
            make(path)
    with pytest.raises(UsageError, match=r'give a file that ends in \.json'):
        make_parent(page, '.json')
    assert page.read_text() == 'mine'


def test_masks_of_one_name(tmp_path: Path) -> None:
    def listed(*paths: str) -> BaseDataset:
        infos = [dict(img_path=str(tmp_path / path)) for path in paths]
        (tmp_path / 'list.json').write_text(
            json.dumps(dict(metainfo={}, data_list=infos))
        )
        return BaseDataset(str(tmp_path / 'list.json'))

    check_names(listed('a/0.png', 'a/1.png', 'b/2.png'), 'masks')
    several = listed('a/0.png', 'b/0.jpg', 'a/1.png', 'b/2.png')
    with pytest.raises(UsageError, match=r'several are called 0: rename'):
        check_names(several, 'masks')


@pytest.mark.parametrize('error', [UsageError, OSError, KeyboardInterrupt])
def test_what_was_there_stays_until_a_file_is_whole(
    error: type[BaseException], tmp_path: Path
) -> None:
    file = tmp_path / 'net.onnx'
    file.write_text('old')
    with pytest.raises(error), whole_file(file) as part:
        part.write_text('part of the new')
        assert file.read_text() == 'old'
        raise error
    assert file.read_text() == 'old'
    with whole_file(file) as part:
        part.write_text('new')
    assert file.read_text() == 'new'
    assert [path.name for path in tmp_path.iterdir()] == ['net.onnx']
