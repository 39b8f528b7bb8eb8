"""Compare an exported network with PyTorch: its outputs and its speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.benchmark import Timer

from ...engine import UsageError
from ...engine.errors import is_interrupt
from ..samples import Sample
from .graph import Exported, reason_of, remedy_of

Run = Callable[[Tensor], Tensor]
# Relative to the largest logit: single precision, other orders of summation.
TOLERANCE = 1e-3
# Pixels that are added to the size of a picture, to try odd sizes, too.
STEPS = (33, -7)


@dataclass(frozen=True)
class Check:
    """The result of a comparison.

    Args:
        sizes (tuple[tuple[int, int], ...]): Heights and widths that were
            compared.
        difference (float): The largest difference, relative to the largest
            logit.
        timed (tuple[int, int]): The size of the image that was timed.
        torch_ms (float): Its milliseconds in PyTorch, as it was trained.
        file_ms (float): Those of the file.
        threads (int): Number of threads of both.
    """

    sizes: tuple[tuple[int, int], ...]
    difference: float
    timed: tuple[int, int]
    torch_ms: float
    file_ms: float
    threads: int

    def __str__(self) -> str:
        sizes = ', '.join(f'{h}x{w}' for h, w in self.sizes)
        threads = 'thread' if self.threads == 1 else 'threads'
        return (
            f'agrees with PyTorch to {self.difference:.0e} of the largest '
            f'logit at {sizes}\none image of {self.timed[0]}x'
            f'{self.timed[1]}: {self.file_ms:.2f} ms, in PyTorch '
            f'{self.torch_ms:.2f} ms ({self.threads} {threads})'
        )


def open_exported(path: Path) -> Run:
    """Open an exported network.

    Args:
        path (Path): An ``.onnx`` file, which onnxruntime will run, or a
            ``.pt2`` file.

    Returns:
        Callable: Takes images (N, C, H, W) and returns logits.
    """
    if path.suffix == '.pt2':
        return _open_program(path)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(
        path, options, providers=['CPUExecutionProvider']
    )

    def run(x: Tensor) -> Tensor:
        (logits,) = session.run(None, dict(image=x.numpy()))
        return torch.from_numpy(logits)

    return run


def _open_program(path: Path) -> Run:
    program = torch.export.load(path)
    try:
        # The guards of a pooling ask for the parity of the example's sizes,
        # although the operators work for any.
        module = program.module(check_guards=False)
    except TypeError:  # before PyTorch 2.9
        module = program.module()
    return lambda x: module(x)


def check_exported(
    path: Path, exported: Exported, samples: Sequence[Sample]
) -> Check:
    """Compare an exported network with PyTorch, at several sizes.

    Args:
        path (Path): The file.
        exported (Exported): The graph that was saved in it.
        samples (Sequence[Sample]): Pictures.

    Returns:
        Check: The result.

    Raises:
        UsageError: The two differ, or the file cannot be run.
    """
    worst, sizes = 0.0, []
    with torch.no_grad(), _in_a_sentence(path, exported):
        run = open_exported(path)
        for x in _inputs(exported, samples):
            expected, found = exported.logits(x), run(x)
            gap = (found - expected).abs().max() / expected.abs().max()
            sizes.append((x.shape[2], x.shape[3]))
            worst = max(worst, float(gap))
            if not gap <= TOLERANCE:
                raise UsageError(
                    f'{path.name} differs from PyTorch by {float(gap):.2g} '
                    f'of the largest logit on images of {sizes[-1]}: do not '
                    'use it, report this network, or try the other --format'
                )
    return Check(
        tuple(dict.fromkeys(sizes)),
        worst,
        sizes[-1],
        _milliseconds(exported.logits, x[:1]),
        _milliseconds(run, x[:1]),
        torch.get_num_threads(),
    )


@contextmanager
def _in_a_sentence(path: Path, exported: Exported) -> Iterator[None]:
    """Say what helps where a file cannot be run."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:  # runtimes raise errors of their own
        if is_interrupt(error):
            raise
        raise UsageError(
            f'{path.name} cannot be run: '
            f'{remedy_of(exported, "the other --format")} '
            f'({reason_of(error)})'
        ) from error


def _inputs(exported: Exported, samples: Sequence[Sample]) -> list[Tensor]:
    """Resize pictures to sizes that the file takes, their own last."""
    if exported.size is not None:
        return [_resized(sample.x, exported.size) for sample in samples]
    found = []
    for step in (*STEPS, 0):
        for sample in samples if step == 0 else samples[:1]:
            size = [
                max(32, n + step + exported.divisor - 1)
                // exported.divisor
                * exported.divisor
                for n in sample.x.shape[2:]
            ]
            found.append(_resized(sample.x, (size[0], size[1])))
    # A batch of two, too.
    found.insert(0, found[-1].repeat(2, 1, 1, 1))
    return found


def _resized(x: Tensor, size: tuple[int, ...]) -> Tensor:
    if tuple(x.shape[2:]) == size:
        return x
    return F.interpolate(x, size=size, mode='bilinear', align_corners=False)


def _milliseconds(run: Run, x: Tensor) -> float:
    timer = Timer(
        'run(x)',
        globals=dict(run=run, x=x),
        num_threads=torch.get_num_threads(),
    )
    with torch.no_grad():
        return 1000 * float(timer.blocked_autorange(min_run_time=0.5).median)
