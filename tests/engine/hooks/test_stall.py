import sys
import threading
import time
from pathlib import Path

import pytest

from mlfm_mm.engine.hooks import StallHook
from mlfm_mm.engine.hooks.stall import Watch, standing


def told(rank: int, **changes: object) -> dict:
    report = dict(
        tick=1,
        host='node7',
        pid=100 + rank,
        waits=True,
        where='stands in wait (distributed_c10d.py:1)',
    )
    return {**report, **changes}


def message(tmp_path: Path, *reports: dict, age: float = 0.0) -> str:
    """Say who is late; ``age`` is that of the last process' report."""
    watch = Watch(tmp_path, 0, timeout=10)
    now = time.monotonic()
    for rank, report in enumerate(reports):
        since = now - (age if rank == len(reports) - 1 else 0)
        watch.seen[rank] = report, since
    return watch.message()


def test_a_process_that_does_not_answer(tmp_path: Path) -> None:
    text = message(tmp_path, told(0), told(1), age=11)
    named = 'process 1 (pid 101 on node7) does not answer'
    assert f'no step for 10 s (--timeout): {named}. ' in text
    assert 'process 0' not in text


def test_a_process_that_works_on(tmp_path: Path) -> None:
    where = 'stands in read (images.py:3)'
    text = message(tmp_path, told(0), told(1, waits=False, where=where))
    assert f'process 1 (pid 101 on node7) {where}.' in text
    assert 'process 0' not in text


def test_all_wait_for_one_another(tmp_path: Path) -> None:
    text = message(tmp_path, told(0), told(1))
    assert 'process 0' in text and 'process 1' in text


def test_a_process_that_never_came(tmp_path: Path) -> None:
    watch = Watch(tmp_path, 0, timeout=10, processes=2)
    watch.seen[0] = told(0), time.monotonic()
    text = watch.message()
    assert ': process 1 has not begun to train. ' in text
    assert 'process 0' not in text


def test_where_a_thread_stands() -> None:
    frame = sys._getframe()
    found = standing(frame)
    assert found['waits'] is False
    assert 'test_where_a_thread_stands (test_stall.py:' in str(found['where'])
    assert standing(None)['where'] == 'has ended'


def test_processes_see_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of three makes no step, the last has stopped reporting."""
    ended = threading.Event()
    texts: list[str] = []

    def end(self: Watch) -> None:
        texts.append(self.message())
        self.ended.set()
        ended.set()

    monkeypatch.setattr(Watch, 'end', end)
    folder = tmp_path / 'alive'
    watches = [Watch(folder, rank, timeout=0.4) for rank in range(3)]
    for watch in watches[:2]:
        watch.start()
    watches[2].report()
    while not ended.wait(0.05):
        watches[1].step()
    assert 'process 2' in texts[0] and 'does not answer' in texts[0]
    assert 'process 1' not in texts[0]
    for watch in watches:
        watch.stop()
    watches[0].join(5)
    assert not list(folder.glob('*.json'))


def test_a_full_disk_does_not_end_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(Watch, 'end', lambda self: ended.set())
    folder = tmp_path / 'alive'
    folder.write_text('a file, where no folder can be made')
    watch = Watch(folder, rank=0, timeout=0.2)
    watch.report()
    watch.start()
    assert ended.wait(10)
    watch.stop()


def test_one_process_is_not_watched(tmp_path: Path) -> None:
    class Alone:
        world_size = 1

    hook = StallHook()
    hook.before_run(Alone())
    hook.after_train_iter(Alone(), 0)
    hook.after_run(Alone())
    assert hook.watch is None
