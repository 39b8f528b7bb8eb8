"""The measurements that ``docs/performance.md`` reports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from ...engine import UsageError

RESNET18 = 'configs/mlfm/resnet18_in100.py'


@dataclass(frozen=True)
class Part:
    """A call of the benchmark, and what a reader should know of it.

    Args:
        name (str): Name of the files with its results.
        heading (str): What stands above it.
        text (str): What stands before its tables.
        options (str): The options of ``tools/benchmark.py``.
        on_gpu (bool): Whether it needs a GPU. Defaults to False.
    """

    name: str
    heading: str
    text: str
    options: str
    on_gpu: bool = False

    def words(self, folder: Path) -> list[str]:
        """Give the words of the command, after the program's name."""
        stem = ['--out', folder.as_posix(), '--stem', self.name]
        return [*self.options.split(), *stem]


PARTS = (
    Part(
        'resnet18',
        'ResNet-18',
        'The network that the limits are set for. "Plain" is the straight'
        'forward formulation of the memory, one operation of PyTorch for '
        'each sign of the formulas, which the tests hold the package to; '
        '"with_cp" recomputes the units in the backward pass. Folded norms '
        'are compared twice: with the baseline as it was, and with the '
        'baseline whose norms are folded, too.',
        f'{RESNET18} --fuse --with-cp --repeats 12 --limit infer=1.25 '
        'folded=1.15 train=1.30 with_cp=1.45 saved=1.60 saved_with_cp=1.25',
    ),
    Part(
        'resnet50',
        'ResNet-50',
        'Wider maps behind each stage, so that more memory is moved for '
        'each of its multiply-adds.',
        'configs/mlfm/resnet50_in100.py --no-plain --fuse --with-cp '
        '--repeats 6',
    ),
    Part(
        'mobilenetv2',
        'MobileNetV2-1.0',
        'A network of few multiply-adds, beside which the memory weighs most.',
        'configs/mlfm/mobilenetv2_1.0_in100.py --no-plain --fuse --with-cp '
        '--repeats 6',
    ),
    Part(
        'channels_last',
        'Channels last',
        'The layout that GPUs prefer and that some processors do.',
        f'{RESNET18} --no-plain --layout channels_last --repeats 6',
    ),
    Part(
        'compiled',
        'Compiled',
        'By `torch.compile`, all three networks. Under a compiler a unit '
        'runs part by part, like the plain formulation.',
        f'{RESNET18} --mode compiled --repeats 6',
    ),
    Part(
        'scale_size',
        'Image size',
        'From 128 to 1024 pixels. What the memory adds for each pixel '
        'should stay what it is: linear in pixels, and no cliff.',
        f'{RESNET18} --scale size --batch 1 --repeats 4',
    ),
    Part(
        'scale_batch',
        'Batch',
        'From one image to 16.',
        f'{RESNET18} --scale batch --size 128 --repeats 5',
    ),
    Part(
        'scale_width',
        'Width',
        'A ResNet-18 whose stages start from so many channels, the head '
        'left out. The trunk grows with the square of the width, the maps '
        'that the memory moves with the width itself.',
        f'{RESNET18} --scale width --batch 2 --size 128 --repeats 5',
    ),
    Part(
        'scale_depth',
        'Depth',
        'ResNets of so many layers, the head left out. Long stages have '
        'units inside, too, and from ResNet-50 on the maps behind the stages '
        'are four times as wide.',
        f'{RESNET18} --scale depth --batch 2 --size 128 --repeats 5',
    ),
    Part(
        'runner',
        'Data and Runner',
        "What a training iteration takes beside the model's own step: "
        'data, hooks, log. The memory is a part of the model, so that it '
        'should add nothing here.',
        'configs/mlfm/resnet18_w16_digits.py --runner',
    ),
    Part(
        'gpu_resnet18',
        'ResNet-18 on a GPU',
        'Batches of 64; bf16 is autocast.',
        f'{RESNET18} --device cuda --batch 64 --fuse --with-cp --dtype fp32 '
        'bf16 --layout contiguous channels_last --repeats 20',
        on_gpu=True,
    ),
    Part(
        'gpu_compiled',
        'ResNet-18 on a GPU, compiled',
        'Batches of 64; bf16 is autocast.',
        f'{RESNET18} --device cuda --batch 64 --dtype fp32 bf16 --layout '
        'channels_last --mode compiled --repeats 20',
        on_gpu=True,
    ),
)


def choose(names: Iterable[str], folder: Path, everything: bool) -> list[Part]:
    """Choose what to measure.

    Args:
        names (Iterable[str]): Parts to measure anew; none for those that
            have no results yet.
        folder (Path): Where the results are.
        everything (bool): Whether to measure all parts anew.

    Returns:
        list[Part]: The parts, without those whose device is not there.

    Raises:
        UsageError: A name is unknown.
    """
    known = {part.name: part for part in PARTS}
    wanted = [known[name] for name in names if name in known]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            f'there is no part {", ".join(unknown)}: give some of '
            f'{", ".join(known)}'
        )
    if wanted:
        return wanted
    return [
        part
        for part in PARTS
        if (not part.on_gpu or torch.cuda.is_available())
        and (everything or not (folder / f'{part.name}.json').is_file())
    ]


def measure_parts(parts: list[Part], root: Path, folder: Path) -> None:
    """Run the benchmark for each part, in a process of its own.

    Args:
        parts (list[Part]): The parts.
        root (Path): The project's folder.
        folder (Path): Where the results go, inside of ``root``.

    Raises:
        UsageError: The benchmark failed; what was measured before stays.
    """
    for number, part in enumerate(parts, 1):
        print(f'[{number}/{len(parts)}] {part.heading}', flush=True)
        words = part.words(folder.relative_to(root))
        done = subprocess.run(
            [sys.executable, 'tools/benchmark.py', *words], cwd=root
        )
        # A limit that is missed is a result, too.
        if not (folder / f'{part.name}.json').is_file():
            raise UsageError(
                f'{part.name}: the benchmark ended with {done.returncode}; '
                f'run python docs/measure_performance.py {part.name}'
            )
