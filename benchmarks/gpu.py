"""Test and measure the fused kernels on a GPU, within ten minutes.

    make gpu

First the kernels' tests, on the GPU; then the parts of benchmarks/parts.yaml
whose names begin with ``gpu_``, the most important first. Each saves after
every point, and is killed when the time is up. The results are in
docs/results/performance, for `make docs`.
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
# They include the first compilation of the kernels, which may be slow.
MINUTES_OF_TESTS = 4
TESTS = 'tests/models/kernels/triton'


def commands() -> list[list[str]]:
    """List what is run, in order."""
    tests = ['pytest', '-q', '-n', '8', '-m', '', TESTS]
    parts = [name for name in read_parts() if name.startswith('gpu_')]
    return [tests, *(['benchmarks.parts', name] for name in parts)]


def run(module: Sequence[str], seconds: float) -> str:
    """Run a module with a time limit; return how it ended."""
    command = [sys.executable, '-m', *module]
    # Triton is to run on the GPU, even where it was told to interpret.
    environment = {**os.environ, 'TRITON_INTERPRET': '0'}
    try:
        code = subprocess.run(
            command, cwd=ROOT, env=environment, timeout=seconds
        ).returncode
    except subprocess.TimeoutExpired:
        return 'out of time'
    return 'done' if code == 0 else f'failed ({code})'


def main() -> None:
    """Test and measure; print how each ended."""
    if not torch.cuda.is_available():
        sys.exit('make gpu: PyTorch finds no GPU here')
    end = time.monotonic() + 60 * MINUTES
    ends = []
    for i, module in enumerate(commands()):
        left = end - time.monotonic()
        limit = left if i else 60 * MINUTES_OF_TESTS
        ends.append(run(module, limit) if left > 0 else 'out of time')
        print(f'{" ".join(module)}: {ends[-1]}', flush=True)
    sys.exit(int(any(word != 'done' for word in ends)))


if __name__ == '__main__':
    main()
