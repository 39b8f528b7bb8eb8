"""Name the process that keeps the others waiting."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...registry import HOOKS
from ..errors import said_by_another

# Code in which a process waits for the others: collectives, and calls that
# end in one.
WAITING = (
    'torch/autograd/',
    'torch/cuda/',
    'torch/distributed/',
    'torch/nn/parallel/',
)
# How many reports are written within the timeout.
REPORTS = 4
EXIT_CODE = 1


@HOOKS.register_module()
class StallHook(Hook):
    """End a run in which a process hangs, and say which and where.

    Otherwise the others wait for it in silence until a collective times out,
    which cannot name the process. Each process writes where it stands to a
    file in the work folder; machines that do not share the folder do not see
    one another.

    Args:
        timeout (float): Seconds without a step, of training, validation or
            test, after which a run is ended. Defaults to 540, a minute
            before NCCL's own.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.StallHook', timeout=300)]
    """

    priority = 'VERY_HIGH'

    def __init__(self, timeout: float = 540) -> None:
        self.timeout = timeout
        self.watch: Watch | None = None

    def before_run(self, runner: Runner) -> None:
        """Begin to watch, where there are several processes."""
        if runner.world_size > 1:
            folder = Path(runner.work_dir) / f'.alive_{runner.timestamp}'
            self.watch = Watch(
                folder, runner.rank, self.timeout, runner.world_size
            )
            # At once, so that the others know of this process.
            self.watch.report()
            self.watch.start()

    def after_run(self, runner: Runner) -> None:
        """Stop watching."""
        if self.watch is not None:
            self.watch.stop()
            self.watch = None

    def _step(self, *args: object, **kwargs: object) -> None:
        if self.watch is not None:
            self.watch.step()

    # Steps as well, since an epoch may begin or end with long work.
    before_train_epoch = before_val_epoch = before_test_epoch = _step
    after_train_iter = after_val_iter = after_test_iter = _step
    after_train_epoch = after_val_epoch = after_test_epoch = _step


class Watch(threading.Thread):
    """A thread that reports where this process stands, and reads the others.

    Args:
        folder (Path): Where the reports lie.
        rank (int): The process.
        timeout (float): Seconds without a step.
        processes (int): How many there are. Defaults to 1.
    """

    def __init__(
        self, folder: Path, rank: int, timeout: float, processes: int = 1
    ) -> None:
        super().__init__(name='mlfm_mm.StallHook', daemon=True)
        self.file = folder / f'{rank}.json'
        self.rank, self.timeout = rank, timeout
        self.processes = processes
        self.main = threading.current_thread()
        self.ended = threading.Event()
        self.ticks = 0
        # Of the others: the last report, and when it was first seen.
        self.seen: dict[int, tuple[dict, float]] = {}
        self.step()

    def step(self) -> None:
        """Note that the process has made progress."""
        self.last = time.monotonic()

    def stop(self) -> None:
        """Stop reporting, and remove the report."""
        self.ended.set()
        if self.is_alive():
            # It may be writing a report.
            self.join()
        # Reports of others may still be in the folder.
        with suppress(OSError):
            self.file.unlink(missing_ok=True)
            self.file.parent.rmdir()

    def run(self) -> None:
        """Report, and look for who is missing."""
        while not self.ended.wait(self.timeout / REPORTS):
            self.report()
            self.read()
            if time.monotonic() - self.last > self.timeout:
                self.end()

    def report(self) -> None:
        """Write where this process stands."""
        self.ticks += 1
        frame = sys._current_frames().get(self.main.ident or 0)
        report = dict(
            tick=self.ticks,
            host=socket.gethostname(),
            pid=os.getpid(),
            **standing(frame),
        )
        part = self.file.with_suffix('.part')
        # On a full disk, the watch goes on without a report.
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(report))
            os.replace(part, self.file)

    def read(self) -> None:
        """Read where the others stand."""
        for file in self.file.parent.glob('*.json'):
            try:
                report = json.loads(file.read_text())
            except (OSError, ValueError):
                # The process has just ended.
                continue
            rank = int(file.stem)
            if self.seen.get(rank, ({}, 0))[0] != report:
                self.seen[rank] = report, time.monotonic()

    def end(self) -> None:
        """Say who keeps the others waiting, and end the process."""
        message = self.message()
        if not said_by_another(message):
            print(message, file=sys.stderr, flush=True)
        os._exit(EXIT_CODE)

    def message(self) -> str:
        """Say who keeps the others waiting.

        Returns:
            str: The processes that are silent, else those that are at work,
            else those that were never seen, else all.
        """
        late = time.monotonic() - 2 * self.timeout / REPORTS
        silent = {r for r, (_, since) in self.seen.items() if since < late}
        working = {r for r, (t, _) in self.seen.items() if not t['waits']}
        absent = set(range(self.processes)) - self.seen.keys()
        named = []
        for rank in sorted(silent or working or absent or self.seen):
            if rank in absent:
                named.append(f'process {rank} has not begun to train')
                continue
            last, _ = self.seen[rank]
            state = 'does not answer' if rank in silent else last['where']
            named.append(
                f'process {rank} (pid {last["pid"]} on {last["host"]}) {state}'
            )
        return (
            f'no step for {self.timeout:g} s (--timeout): {"; ".join(named)}. '
            'The run is ended; --resume goes on from its last checkpoint'
        )


def standing(frame: FrameType | None) -> dict[str, object]:
    """Describe where a thread stands.

    Args:
        frame (FrameType, optional): Its innermost frame; None if it ended.

    Returns:
        dict: Whether it ``waits`` for other processes, and ``where`` in
        words.
    """
    if frame is None:
        return dict(waits=False, where='has ended')
    *_, last = traceback.extract_stack(frame)
    file = last.filename.replace(os.sep, '/')
    place = f'{Path(file).name}:{last.lineno}'
    return dict(
        waits=any(part in file for part in WAITING),
        where=f'stands in {last.name} ({place})',
    )
