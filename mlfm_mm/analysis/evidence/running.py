"""Train the missing runs of a plan, each in a process of its own."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from ...engine import (
    UsageError,
    build_runner,
    one_sentence,
    prepare_training,
)
from ...engine.distributed import die_with_parent
from ...engine.weights import weights_only
from ..runs import read_curve
from .plan import FINGERPRINT, Plan, Run, fingerprint, make_config
from .records import make_record, pending_runs, read_records, write_record

POLL_SECONDS = 2.0


@dataclass
class Job:
    """A run in progress.

    Args:
        run (Run): What is run.
        folder (Path): Where it writes.
        process (BaseProcess): Its process.
    """

    run: Run
    folder: Path
    process: BaseProcess


def tell_state(
    plan: Plan, folder: Path, records: Path, console: Console
) -> None:
    """Print how many runs are finished, and how far others are.

    Args:
        plan (Plan): The plan.
        folder (Path): Where its runs write.
        records (Path): Where their records are.
        console (Console): Where to print.
    """
    pending = pending_runs(plan, read_records(records))
    total = len(list(plan.runs()))
    done = total - len(pending)
    text = f'{plan.name}: {done} of {total} runs done'
    told = f', by {records}: another --results trains them anew'
    console.print(text + told if done else text)
    for run in pending:
        if epoch := epochs_done(folder / run.name, plan.metric):
            console.print(f'  {run.name}: {epoch} of {epochs_of(run)} epochs')


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Lock a plan against other commands."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / '.lock', 'a') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                'another command is running this plan: see --status, or '
                'give another --work-dir'
            ) from None
        yield


def run_plan(
    plan: Plan, jobs: int, folder: Path, records: Path, console: Console
) -> None:
    """Train the runs that are not finished; resume interrupted ones.

    Args:
        plan (Plan): The plan.
        jobs (int): How many runs side by side, each with one CPU thread.
        folder (Path): Where the runs write.
        records (Path): Where the records go.
        console (Console): Where to print the progress.

    Raises:
        UsageError: If a run failed, was begun by another recipe or has no
            epochs, or if another command runs the plan.
            The runs in progress are terminated then, as by any exception,
            and can be resumed.
    """
    pending = pending_runs(plan, read_records(records))
    waiting, running = list(pending), list[Job]()
    progress = Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        TextColumn('{task.completed:.0f}/{task.total:.0f} epochs'),
        TextColumn('{task.fields[left]}'),
        console=console,
        disable=not console.is_terminal,
    )
    for run in pending:
        check_begun(run, folder / run.name)
    total = _epochs_in(pending)
    done = {r.name: epochs_done(folder / r.name, plan.metric) for r in pending}
    with _held(folder), progress:
        before = sum(done.values())
        task = progress.add_task(
            plan.name, total=total, completed=before, before=before, left=''
        )
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    # Somebody may have edited a config since the last one.
                    pending_runs(plan, read_records(records))
                    check_begun(waiting[0], folder / waiting[0].name)
                    running.append(_start(waiting.pop(0), folder))
                    console.print(f'start  {running[-1].run.name}')
                time.sleep(POLL_SECONDS)
                ended = [j for j in running if not j.process.is_alive()]
                for job in running:  # no other log grows
                    done[job.run.name] = epochs_done(job.folder, plan.metric)
                progress.update(task, completed=sum(done.values()))
                progress.update(task, left=_left(progress))
                for job in ended:
                    running.remove(job)
                    console.print(_finish(plan, job, records), _left(progress))
        finally:
            for job in running:
                _stop(job)


def check_begun(run: Run, folder: Path) -> None:
    """Refuse to go on with a run that another recipe has begun."""
    begun = folder / FINGERPRINT
    if not begun.is_file() or not any(folder.glob('*.pth')):
        return
    if begun.read_text() != fingerprint(make_config(run, folder)):
        raise UsageError(
            f'{run.name} was begun by another recipe than {run.arm.config} '
            f'is now: restore that, or remove {folder}'
        )


def _start(run: Run, parent: Path) -> Job:
    """Start a run, or resume it, in a process of its own."""
    folder = parent / run.name
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / 'run.py'
    cfg = make_config(run, folder)
    cfg.dump(config)
    # The Runner writes over the config what it has made of it.
    (folder / FINGERPRINT).write_text(fingerprint(cfg))
    # The new process reads it when it imports PyTorch.
    os.environ['OMP_NUM_THREADS'] = '1'
    process = get_context('spawn').Process(target=train, args=(config,))
    process.start()
    return Job(run, folder, process)


def train(config: Path) -> None:
    """Train or resume, with output to ``console.log`` beside the config.

    Args:
        config (Path): The config of a run, in its work folder.
    """
    # A command that is killed cannot stop it, and could not be repeated.
    die_with_parent()
    parent = parent_process()
    if parent is not None and not parent.is_alive():
        return  # killed before the call above
    with open(config.with_name('console.log'), 'a') as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    with one_sentence(config.parent.name), weights_only(False):
        build_runner(prepare_training(str(config), resume='auto')).train()


def _stop(job: Job) -> None:
    """Terminate a run; it can be resumed from its last checkpoint."""
    if job.process.is_alive() and job.process.pid:
        job.process.terminate()
        # One that is halted would never learn of it.
        os.kill(job.process.pid, signal.SIGCONT)
    job.process.join()


def _finish(plan: Plan, job: Job, records: Path) -> str:
    """Record a run that has ended; return a line about it."""
    if job.process.exitcode:
        raise UsageError(
            f'{job.run.name} failed; the end of {job.folder}/console.log '
            'says why'
        )
    record = make_record(plan, job.run, job.folder)
    write_record(records, record)
    return (
        f'end    {job.run.name:<20} {plan.metric} {record["final"]:.2f} '
        f'(best {record["best"]:.2f}) '
    )


def _left(progress: Progress) -> str:
    """Say how much time is left, once an epoch has been done."""
    # Not rich's estimate, by the last steps: runs side by side end together.
    (task,) = progress.tasks
    fresh = task.completed - task.fields['before']
    if not fresh or task.elapsed is None or task.remaining is None:
        return ''
    return f'{task.elapsed / fresh * task.remaining / 60:.0f} minutes left'


def _epochs_in(runs: list[Run]) -> int:
    """Count the epochs of runs, of which those of an arm have the same."""
    arms = {run.arm.name: run for run in runs}
    lengths = {name: epochs_of(run) for name, run in arms.items()}
    return sum(lengths[run.arm.name] for run in runs)


def epochs_of(run: Run) -> int:
    """Read how many epochs a run has."""
    train_cfg = make_config(run, Path()).train_cfg
    if 'max_epochs' not in train_cfg:
        raise UsageError(
            f'{run.arm.config} trains by iterations, but runs are compared by '
            'epoch: give it a train_cfg with max_epochs'
        )
    return train_cfg.max_epochs


def epochs_done(folder: Path, metric: str) -> int:
    """Get the last epoch of a run that was validated, 0 if none was."""
    try:
        return read_curve(folder, metric).last
    except UsageError:
        return 0
