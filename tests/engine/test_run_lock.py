import multiprocessing
from pathlib import Path

import pytest

from mlfm_mm.engine import UsageError
from mlfm_mm.engine.run_lock import held


def is_free(folder: Path) -> bool:
    """Try to hold a folder in another process, a fork of this one."""
    process = multiprocessing.get_context('fork').Process(
        target=hold, args=(folder,)
    )
    process.start()
    process.join()
    return process.exitcode == 0


def hold(folder: Path) -> None:
    with held(folder):
        pass


def test_a_folder_has_one_run(tmp_path: Path) -> None:
    with pytest.raises(KeyError), held(tmp_path):
        assert not is_free(tmp_path)
        raise KeyError
    assert is_free(tmp_path)


def test_what_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise BlockingIOError

    monkeypatch.setattr('fcntl.lockf', refuse)
    with pytest.raises(
        UsageError, match=rf'another run writes to {tmp_path}.*\.run\.lock'
    ):
        hold(tmp_path)


def test_a_disk_that_takes_no_file(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    hold(tmp_path / 'file')
