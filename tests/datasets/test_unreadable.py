from typing import Any

import pytest

from mlfm_mm.datasets import FolderError
from mlfm_mm.datasets.unreadable import UnreadablePolicy


class Shelf:
    """Items, of which some are broken: their file does not exist."""

    def __init__(self, count: int, broken: set[int]) -> None:
        self.broken, self.tried = broken, []
        self.policy = UnreadablePolicy('skip')
        self.policy.remember(count)

    def load(self, index: int) -> int:
        self.tried.append(index)
        if index in self.broken:
            raise OSError('broken')
        return index

    def info(self, index: int) -> dict[str, Any]:
        return dict(img_path=f'no/such/{index}.png')

    def fetch(self, index: int) -> int:
        return self.policy.fetch(index, self.load, self.info)


def test_others_take_the_place(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(10, {3, 4, 5})
    assert shelf.fetch(2) == 2
    # By distances of 1, 2 and 4: always the same, so that a run can resume.
    assert [shelf.fetch(3), shelf.fetch(3)] == [7, 7]
    assert shelf.policy.take_failed() == [3, 4, 5]
    assert shelf.policy.take_failed() == []
    shelf.fetch(9)
    shelf.fetch(5)
    assert shelf.policy.take_failed() == [5]


def test_a_disk_that_is_gone() -> None:
    shelf = Shelf(1000, set(range(1000)))
    with pytest.raises(FolderError, match='is the disk still there'):
        shelf.fetch(0)
    assert len(shelf.tried) < 20


def test_one_image_alone() -> None:
    with pytest.raises(FolderError, match=r'no/such/0.png'):
        Shelf(1, {0}).fetch(0)


def test_refuses() -> None:
    shelf = Shelf(3, {1})
    shelf.policy.refuses = True
    with pytest.raises(
        FolderError, match=r"no/such/1.png .*unreadable='skip'"
    ):
        shelf.fetch(1)


def test_unknown_policy() -> None:
    with pytest.raises(ValueError, match="not 'crash'"):
        UnreadablePolicy('crash')


def test_not_every_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    monkeypatch.setattr('mlfm_mm.datasets.unreadable.warn', log.append)
    policy = UnreadablePolicy('skip')
    paths = [f'no/such/{index}.png' for index in range(25)]
    policy.report(paths, 99)
    assert policy.left_out == paths
    *lines, last = log
    assert [line.split()[0] for line in lines] == paths[:10]
    assert last.startswith('15 more files are no images')
