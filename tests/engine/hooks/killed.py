"""Run a config of toy.py in a process of its own, and kill it on the way."""

import argparse
import os
import signal
from collections.abc import Callable
from typing import Any

import torch
from mmengine.config import Config
from mmengine.fileio import LocalBackend

from mlfm_mm.engine import leave_together
from tests.engine.hooks.toy import run


def kill_at(owner: object, name: str, call: int, after: bool = False) -> None:
    """Kill this process in the middle of a call, as a power cut would."""
    inner: Callable = getattr(owner, name)
    count = 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count == call and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = inner(*args, **kwargs)
        if count == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, wrapped)


def torn(call: int) -> None:
    """Kill this process when half a checkpoint has been written."""
    inner = LocalBackend.put
    count = 0

    def put(self: LocalBackend, data: bytes, path: str) -> None:
        nonlocal count
        count += 1
        if count == call:
            inner(self, data[: len(data) // 2], path)
            os.kill(os.getpid(), signal.SIGKILL)
        inner(self, data, path)

    LocalBackend.put = put


def main(arguments: list[str] | None = None) -> None:
    """Run, and die at the CALLth call WHERE it is told to."""
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    parser.add_argument('--kill', nargs=2, metavar=('WHERE', 'CALL'))
    args = parser.parse_args(arguments)
    cfg = Config.fromfile(args.config)
    if args.kill:
        where, call = args.kill
        torn(int(call)) if where == 'torn' else kill_at(os, where, int(call))
    if cfg.launcher != 'none':
        torch.distributed.init_process_group('gloo')
    run(cfg)
    leave_together()


if __name__ == '__main__':
    main()
