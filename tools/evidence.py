"""Train the networks of a plan, seed by seed, and record how each ended.

A run that has a record is skipped and one that was interrupted is resumed, so
that the same command goes on where the last one stopped. Each run is a process
of its own, in work_dirs/evidence/PLAN/ARM_sSEED; its record is added to
docs/results/evidence/PLAN.jsonl as it ends.
"""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

# A clone need not be installed: its package lies beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mlfm_mm.analysis.evidence import (
    Plan,
    Run,
    make_config,
    make_record,
    pending_runs,
    read_plan,
    read_records,
    write_record,
)
from mlfm_mm.analysis.runs import read_curve
from mlfm_mm.engine import UsageError

ROOT = Path(__file__).resolve().parents[1]
POLL_SECONDS = 2.0


@dataclass
class Job:
    """A run in progress.

    Args:
        run (Run): What is run.
        folder (Path): Where it writes.
        process (subprocess.Popen): Its process.
    """

    run: Run
    folder: Path
    process: subprocess.Popen


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('plan', help='such as configs/evidence/tiny20.py')
    parser.add_argument(
        '--jobs',
        type=int,
        default=1,
        metavar='N',
        help='runs side by side, each with one CPU thread (default: 1)',
    )
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=Path('work_dirs/evidence'),
        metavar='DIR',
        help='where the runs write (default: %(default)s)',
    )
    parser.add_argument(
        '--results',
        type=Path,
        default=ROOT / 'docs/results/evidence',
        metavar='DIR',
        help='where the records go (default: docs/results/evidence)',
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        '--status',
        action='store_true',
        help='say how far the plan is, and train nothing',
    )
    action.add_argument(
        '--pause',
        dest='signal',
        action='store_const',
        const=signal.SIGSTOP,
        help='halt the runs in progress, which keep their memory',
    )
    action.add_argument(
        '--continue',
        dest='signal',
        action='store_const',
        const=signal.SIGCONT,
        help='let the runs that were paused go on',
    )
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error(f'--jobs {args.jobs}: give 1 or more')
    return args


def main() -> None:
    """Do what the command line asks."""
    args = parse_args()
    console = Console(highlight=False, soft_wrap=True)
    try:
        plan = read_plan(args.plan)
        folder = args.work_dir / plan.name
        records = args.results / f'{plan.name}.jsonl'
        if args.signal is not None:
            console.print(signal_runs(folder / 'pids.json', args.signal))
            return
        tell_state(plan, folder, records, console)
        if not args.status:
            run_plan(plan, args.jobs, folder, records, console)
    except UsageError as error:
        sys.exit(f'evidence.py: {error}')


def tell_state(
    plan: Plan, folder: Path, records: Path, console: Console
) -> None:
    """Print what is finished and what has begun."""
    pending = pending_runs(plan, read_records(records))
    total = len(list(plan.runs()))
    console.print(f'{plan.name}: {total - len(pending)} of {total} runs done')
    for run in pending:
        if done := epochs_done(folder / run.name, plan.metric):
            console.print(f'  {run.name}: {done} of {epochs_of(run)} epochs')


def signal_runs(path: Path, number: int) -> str:
    """Send a signal to the runs in progress.

    Args:
        path (Path): The file with their process ids.
        number (int): The signal.

    Returns:
        str: What was done.

    Raises:
        UsageError: If no command is working on the plan.
    """
    try:
        with open(path) as file:
            if _lock(file):
                raise UsageError('the plan is not being run')
            pids = json.load(file)
    except FileNotFoundError:
        raise UsageError('the plan is not being run') from None
    for pid in pids:
        os.kill(pid, number)
    return f'{signal.Signals(number).name} sent to {len(pids)} runs'


def _lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def held(path: Path) -> Iterator[TextIO]:
    """Keep other commands off a plan; the file holds the process ids."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'a+') as file:
        if not _lock(file):
            raise UsageError(
                'another command is running this plan: see --status, or '
                'give another --work-dir'
            )
        yield file
        path.unlink()


def run_plan(
    plan: Plan, jobs: int, folder: Path, records: Path, console: Console
) -> None:
    """Train all that is not finished.

    Args:
        plan (Plan): The plan.
        jobs (int): How many runs side by side.
        folder (Path): Where the runs write.
        records (Path): Where the records go.
        console (Console): Where to tell how it goes.
    """
    waiting = pending_runs(plan, read_records(records))
    running: list[Job] = []
    signal.signal(signal.SIGTERM, _exit)
    progress = Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        TextColumn('{task.completed:.0f}/{task.total:.0f} epochs'),
        TextColumn('{task.fields[left]}'),
        console=console,
        disable=not console.is_terminal,
    )
    clock = Clock(waiting, folder, plan.metric)
    with held(folder / 'pids.json') as pids, progress:
        task = progress.add_task(plan.name, total=clock.total, left='')
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    running.append(start(waiting.pop(0), folder))
                    console.print(f'start  {running[-1].run.name}')
                    note(pids, running)
                time.sleep(POLL_SECONDS)
                progress.update(
                    task, completed=clock.done(), left=clock.left()
                )
                for job in [
                    j for j in running if j.process.poll() is not None
                ]:
                    running.remove(job)
                    note(pids, running)
                    finish(plan, job, records, console, clock)
        finally:
            for job in running:
                stop(job)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(f'evidence.py: ended by {signal.Signals(number).name}')


def note(file: TextIO, jobs: list[Job]) -> None:
    """Write down the process ids of the runs in progress."""
    file.seek(0)
    file.truncate()
    json.dump([job.process.pid for job in jobs], file)
    file.flush()


def start(run: Run, parent: Path) -> Job:
    """Start a run, or resume it, in a process of its own."""
    folder = parent / run.name
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / 'run.py'
    make_config(run, folder).dump(config)
    command = [sys.executable, str(ROOT / 'tools/train.py'), str(config)]
    with open(folder / 'console.log', 'a') as log:
        process = subprocess.Popen(
            [*command, '--resume'],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env={**os.environ, 'OMP_NUM_THREADS': '1'},
        )
    return Job(run, folder, process)


def stop(job: Job) -> None:
    """End a run; it goes on from its last checkpoint another time."""
    job.process.send_signal(signal.SIGCONT)
    job.process.terminate()
    job.process.wait()


def finish(
    plan: Plan, job: Job, records: Path, console: Console, clock: 'Clock'
) -> None:
    """Record a run that has ended.

    Raises:
        UsageError: If it failed.
    """
    if job.process.returncode:
        raise UsageError(
            f'{job.run.name} failed; the end of {job.folder}/console.log '
            'says why'
        )
    record = make_record(plan, job.run, job.folder)
    write_record(records, record)
    console.print(
        f'end    {job.run.name:<20} {plan.metric} {record["final"]:.2f} '
        f'(best {record["best"]:.2f})  {clock.left()}'
    )


class Clock:
    """How far a plan is, and how much time it will take.

    Args:
        runs (list[Run]): The runs that are to be done.
        folder (Path): Where they write.
        metric (str): The metric that is recorded after each epoch.
    """

    def __init__(self, runs: list[Run], folder: Path, metric: str) -> None:
        self.folders = [folder / run.name for run in runs]
        self.metric = metric
        self.total = sum(epochs_of(run) for run in runs)
        self.start = time.monotonic()
        self.at_start = self.done()

    def done(self) -> int:
        """Count the epochs that are done."""
        return sum(epochs_done(f, self.metric) for f in self.folders)

    def left(self) -> str:
        """Say how much time is left, once an epoch has been done."""
        done = self.done()
        if done == self.at_start:
            return ''
        pace = (time.monotonic() - self.start) / (done - self.at_start)
        return f'{pace * (self.total - done) / 60:.0f} minutes left'


def epochs_of(run: Run) -> int:
    """Read how many epochs a run has."""
    return make_config(run, Path()).train_cfg.max_epochs


def epochs_done(folder: Path, metric: str) -> int:
    """Count the epochs that a run has been validated after."""
    try:
        return read_curve(folder, metric).last
    except UsageError:
        return 0


if __name__ == '__main__':
    main()
