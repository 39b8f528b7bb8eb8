import time
from pathlib import Path

import pytest
import torch

from mlfm_mm.engine import UsageError, resume
from mlfm_mm.engine.resume import check_asked, choose_checkpoint, find_newest
from tests.engine.test_checkpoints import save


def dated(path: Path, when: str, iteration: int, **more: float) -> Path:
    meta = dict(epoch=1, iter=iteration, time=when, **more)
    return save(path, meta=meta)


def test_newest_by_what_is_written_inside(tmp_path: Path) -> None:
    # Training began anew in a folder that had been trained in: what was
    # written last counts, not the highest number, nor the file's date.
    newest = dated(tmp_path / 'epoch_2.pth', '20260102_000000', 8)
    dated(tmp_path / 'epoch_9.pth', '20260101_000000', 36)
    torch.save(dict(meta={}, state_dict={}), tmp_path / 'best_x_epoch_2.pth')
    assert find_newest(tmp_path) == (newest, {})


def test_newest_whatever_the_time_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Written in Tokyo, then, an hour later, in London; and by MMEngine's own
    # hook another hour later.
    dated(tmp_path / 'epoch_1.pth', '20260101_090000', 4, written=1767225600)
    later = dated(
        tmp_path / 'epoch_2.pth', '20260101_010000', 8, written=1767229200
    )
    assert find_newest(tmp_path) == (later, {})
    monkeypatch.setenv('TZ', 'UTC')
    time.tzset()
    last = dated(tmp_path / 'epoch_3.pth', '20260101_020000', 12)
    found = find_newest(tmp_path)
    monkeypatch.undo()
    time.tzset()
    assert found == (last, {})


def test_torn_ones_are_passed_over(tmp_path: Path) -> None:
    whole = dated(tmp_path / 'epoch_1.pth', '20260101_000000', 4)
    torn = dated(tmp_path / 'epoch_2.pth', '20260101_000001', 8)
    torn.write_bytes(torn.read_bytes()[:500])
    (tmp_path / 'epoch_3.pth').touch()
    newest, passed = find_newest(tmp_path)
    assert newest == whole
    assert 'torn' in passed['epoch_2.pth']
    assert passed['epoch_3.pth'] == 'it is empty'


def test_nothing_there(tmp_path: Path) -> None:
    assert choose_checkpoint(tmp_path) is None
    assert choose_checkpoint(tmp_path / 'misspelt') is None


def test_none_will_do(tmp_path: Path) -> None:
    (tmp_path / 'epoch_3.pth').touch()
    with pytest.raises(UsageError, match=r'epoch_3\.pth: it is empty'):
        choose_checkpoint(tmp_path)


def test_only_weights_are_there(tmp_path: Path) -> None:
    torch.save(dict(meta={}, state_dict={}), tmp_path / 'best.pth')
    with pytest.raises(UsageError, match=r'best\.pth: it lacks optimizer'):
        choose_checkpoint(tmp_path)


def test_torn_one_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / 'epoch_3.pth').touch()
    with pytest.raises(UsageError, match='cannot be resumed from: it is em'):
        check_asked(tmp_path / 'epoch_3.pth', tmp_path)
    check_asked(save(tmp_path / 'epoch_4.pth'), tmp_path)


def test_newer_one_than_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[str] = []
    monkeypatch.setattr(resume, 'print_log', lambda s, **_: log.append(s))
    for folder in ('a', 'b'):
        (tmp_path / folder).mkdir()
    first = dated(tmp_path / 'a' / 'epoch_1.pth', '20260101_000000', 4)
    newer = dated(tmp_path / 'b' / 'epoch_2.pth', '20260102_000000', 8)
    untold = save(tmp_path / 'untold.pth', meta=dict(epoch=1, iter=4))
    check_asked(first, tmp_path / 'a')
    check_asked(newer, tmp_path / 'a')
    check_asked(untold, tmp_path / 'a')
    assert not log
    check_asked(first, tmp_path / 'b')
    assert f'{newer} is newer than {first}' in log[0]
