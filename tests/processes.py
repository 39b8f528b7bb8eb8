"""Run Python programs in processes that need not import PyTorch again.

A server that has imported what they all import is forked for each of them,
so that a process of its own takes a tenth of a second instead of five. It
gets the command line, folder, environment and module search path that a new
interpreter would. Programs that start others, by a shell script or by a
launcher, are started as ever.
"""

import json
import multiprocessing
import os
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

# What initialized CUDA cannot be forked.
CONTEXT = multiprocessing.get_context(
    'spawn' if torch.cuda.is_available() else 'forkserver'
)
if CONTEXT.get_start_method() == 'forkserver':
    CONTEXT.set_forkserver_preload(
        ['mlfm_mm', 'matplotlib.pyplot', 'pandas', 'sklearn.datasets']
    )
SEARCH_PATH = 'import json, sys; print(json.dumps(sys.path[1:]))'


class Program:
    """A Python program at work.

    Args:
        words (tuple): What would follow ``python``: ``FILE ARGUMENT...`` or
            ``-m MODULE ARGUMENT...``.
        cwd (Path): Where it runs.
        **env (str): More variables of its environment.
    """

    def __init__(self, *words: object, cwd: Path, **env: str) -> None:
        self.words = [*map(str, words)]
        self.cwd = cwd
        self.env = {**os.environ, **env}
        # As a new interpreter finds modules, not as pytest does.
        found = subprocess.check_output(
            [sys.executable, '-c', SEARCH_PATH], env=self.env
        )
        self.search_path: list[str] = json.loads(found)
        self.printed = Path(tempfile.mkdtemp())
        self.process: BaseProcess = CONTEXT.Process(target=self._play)
        self.process.start()

    def __getstate__(self) -> dict:
        return {k: v for k, v in vars(self).items() if k != 'process'}

    def _play(self) -> None:
        """Become the program, in the process that was forked."""
        for stream, name in ((1, 'stdout'), (2, 'stderr')):
            os.dup2(
                os.open(self.printed / name, os.O_CREAT | os.O_WRONLY), stream
            )
        os.chdir(self.cwd)
        os.environ.clear()
        os.environ.update(self.env)
        module = self.words[1] if self.words[0] == '-m' else None
        sys.argv = self.words[1:] if module else self.words
        folder = self.cwd if module else Path(sys.argv[0]).resolve().parent
        sys.path[:] = [str(folder), *self.search_path]
        if module:
            runpy.run_module(module, run_name='__main__', alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name='__main__')

    def wait(self, seconds: float = 600) -> 'subprocess.CompletedProcess[str]':
        """Wait for its end; give its status and what it printed."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            raise subprocess.TimeoutExpired(self.words, seconds)
        printed = [
            (self.printed / name).read_text() for name in ('stdout', 'stderr')
        ]
        shutil.rmtree(self.printed)
        return subprocess.CompletedProcess(
            self.words, self.process.exitcode, *printed
        )


def run_python(
    *words: object, cwd: Path, **env: str
) -> 'subprocess.CompletedProcess[str]':
    """Run a program to its end; see :class:`Program`."""
    return Program(*words, cwd=cwd, **env).wait()


def run_ranks(
    processes: int, *words: object, cwd: Path, **env: str
) -> list['subprocess.CompletedProcess[str]']:
    """Run a program in processes that find one another, as of torchrun."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])
    env |= dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=port)
    env |= dict(WORLD_SIZE=str(processes))
    ranks = [
        Program(*words, cwd=cwd, RANK=rank, LOCAL_RANK=rank, **env)
        for rank in map(str, range(processes))
    ]
    return [rank.wait() for rank in ranks]


def wait_for(holds: Callable[[], object], seconds: float = 240) -> None:
    """Wait until something holds, and fail if it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)
