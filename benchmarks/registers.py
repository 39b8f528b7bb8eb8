"""Compile the fused kernels for GPUs, and read which resources they use.

    python -m benchmarks.registers

No GPU is needed, since Triton brings the compilers along: what a unit would
launch in training and in inference is only compiled, for the GPUs of
``TARGETS``. `make docs` then renews the table of docs/performance.md.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pandas as pd
import torch

from mlfm_mm import LFMU
from mlfm_mm.analysis.tables import markdown_table
from mlfm_mm.engine.arguments import make_parser

from .setting import DTYPES, LAYOUTS

ROOT = Path(__file__).resolve().parents[1]
RESULT = Path('docs/results/kernels.json')
TARGETS = dict(sm_80='A100', sm_90='H100')
SETTINGS = (('fp32', 'contiguous'), ('bf16', 'channels_last'))
# Kernel and arguments.
Launch = tuple[Any, tuple]


def collect(dtype: str, layout: str) -> dict[str, Launch]:
    """Collect the launches of a unit, by the names of their kernels.

    Inference launches one of the kernels of training with other arguments;
    this launch gets a name of its own.
    """
    from mlfm_mm.models.kernels.triton import operators
    from mlfm_mm.models.kernels.triton.unit import infer, train

    unit = LFMU(64, 128, levels=1).to(DTYPES[dtype])
    maps = [
        torch.zeros(2, channels, 32, 32, dtype=DTYPES[dtype])
        .to(memory_format=LAYOUTS[layout])
        .requires_grad_()
        for channels in (128, 64, 3)
    ]
    found: dict[str, Launch] = {}
    phase = ''

    def collected(kernel: Callable, grid: tuple, *args: object) -> None:
        found.setdefault(f'{kernel.__name__}{phase}', (kernel, args))

    with patch.object(operators, 'launch', collected):
        outputs = train(unit, *maps)
        torch.autograd.backward(outputs, [x.detach() for x in outputs])
        phase = ', inference'
        with torch.no_grad():
            infer(unit.eval(), *maps)
    return found


def compile_for(target: str, launch: Launch) -> dict[str, int]:
    """Compile a launch; return registers, shared and local memory."""
    from triton.backends.compiler import GPUTarget
    from triton.runtime import driver

    from mlfm_mm.models.kernels.triton.launch import OPTIONS

    kernel, args = launch
    gpu = GPUTarget('cuda', int(target.removeprefix('sm_')), 32)
    # A stub has all that compiling asks of the driver; nothing is launched.
    stub = SimpleNamespace(
        get_current_target=lambda: gpu,
        get_current_device=lambda: target,
        get_current_stream=lambda device: 0,
    )
    with patch.object(driver, '_active', stub):
        compiled = kernel.warmup(*args, grid=(1,), **OPTIONS)
    found = usage(compiled.asm['cubin'])
    return dict(
        registers=found['REG'],
        shared=compiled.metadata.shared,
        local=found['STACK'] + found['LOCAL'],
    )


def usage(binary: bytes) -> dict[str, int]:
    """Read the resources that a compiled kernel uses."""
    from triton.backends import nvidia

    tool = Path(nvidia.__path__[0]) / 'bin' / 'cuobjdump'
    with tempfile.NamedTemporaryFile(suffix='.cubin') as file:
        file.write(binary)
        file.flush()
        text = subprocess.run(
            [tool, '-res-usage', file.name],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    found = re.findall(r'(REG|STACK|LOCAL):(\d+)', text)
    return {name: int(number) for name, number in found}


def measure(targets: Sequence[str]) -> pd.DataFrame:
    """Compile everything; a row for each kernel, setting and target."""
    rows = []
    for setting in SETTINGS:
        for name, launch in collect(*setting).items():
            for target in targets:
                found = compile_for(target, launch)
                print(name, *setting, target, found, flush=True)
                head = dict(kernel=name, setting=', '.join(setting))
                rows.append(head | dict(target=target) | found)
    return pd.DataFrame(rows)


def generate(root: Path) -> dict[str, str]:
    """Lay out the results."""
    rows = pd.DataFrame(json.loads((root / RESULT).read_text('utf-8')))
    rows['taken'] = [
        f'{row.registers}, {row.shared / 1024:.3g} KB'
        + (f', {row.local} B local' if row.local else '')
        for row in rows.itertuples()
    ]
    rows['column'] = rows['target'] + ', ' + rows['setting']
    table = rows.pivot(index='kernel', columns='column', values='taken')
    table = table.loc[rows['kernel'].unique(), rows['column'].unique()]
    names = ', '.join(f'{key} is {name}' for key, name in TARGETS.items())
    text = markdown_table(
        ['kernel', *table.columns],
        [[f'`{name}`', *cells] for name, *cells in table.itertuples()],
    )
    caption = (
        'Registers of a thread and shared memory of a program; local memory, '
        f'where registers do not suffice. {names}.'
    )
    return {'docs/performance.md#kernels': f'{text}\n\n{caption}'}


def main() -> None:
    """Compile everything, and save what was found."""
    parser = make_parser(__doc__, 'python -m benchmarks.registers')
    parser.add_argument('--target', nargs='+', default=[*TARGETS])
    parser.add_argument('--out', type=Path, default=ROOT / RESULT)
    args = parser.parse_args()
    if os.environ.get('TRITON_INTERPRET') == '1':
        sys.exit('benchmarks: TRITON_INTERPRET=1 interprets; unset it')
    rows = measure(args.target)
    args.out.write_text(rows.to_json(orient='records', indent=1) + '\n')


if __name__ == '__main__':
    main()
