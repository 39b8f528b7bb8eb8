"""Test and measure the fused kernels on a GPU, within ten minutes.

    make gpu

First the kernels' tests, on the GPU; then the parts of benchmarks/parts.yaml
whose names begin with ``gpu_``, in the order of their worth. Each saves what
it has after each point, and what does not end in time is cut off: results
are in docs/results/performance, for `make docs`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

import torch

from .parts import ROOT, read_parts

MINUTES = 10
# Beside its tests, the kernels may be slow to compile the first time.
MINUTES_OF_TESTS = 4
TESTS = 'tests/models/kernels/triton'


def commands() -> list[list[str]]:
    """List what is run, in order."""
    tests = ['pytest', '-q', '-n', '8', '-m', '', TESTS]
    parts = [name for name in read_parts() if name.startswith('gpu_')]
    return [tests, *(['benchmarks.parts', name] for name in parts)]


def run(module: Sequence[str], seconds: float) -> str:
    """Run a module for so long at most; tell what came of it."""
    command = [sys.executable, '-m', *module]
    # Triton is to run on the GPU, whatever it did before.
    environment = {**os.environ, 'TRITON_INTERPRET': '0'}
    try:
        code = subprocess.run(
            command, cwd=ROOT, env=environment, timeout=seconds
        ).returncode
    except subprocess.TimeoutExpired:
        return 'out of time'
    return 'done' if code == 0 else f'failed ({code})'


def main() -> None:
    """Test, measure, and tell in a line what came of each."""
    if not torch.cuda.is_available():
        sys.exit('make gpu: PyTorch finds no GPU here')
    end = time.monotonic() + 60 * MINUTES
    told = []
    for i, module in enumerate(commands()):
        left = end - time.monotonic()
        limit = left if i else 60 * MINUTES_OF_TESTS
        told.append(run(module, limit) if left > 0 else 'out of time')
        print(f'{" ".join(module)}: {told[-1]}', flush=True)
    sys.exit(int(any(word != 'done' for word in told)))


if __name__ == '__main__':
    main()
