"""Describe the hardware and software of a measurement."""

from __future__ import annotations

import os
import platform
import re
from datetime import date
from pathlib import Path
from typing import Any

import mmcv
import mmengine
import torch

from .. import __version__

Machine = dict[str, Any]


def describe_machine(device: str | None = None) -> Machine:
    """Describe the machine, to be published with a result.

    Args:
        device (str, optional): The device that was measured, such as
            ``'cuda:1'``. Defaults to None, a GPU if there is one.

    Returns:
        dict: Processor, cores, threads, GPU, versions and date; no host or
        user name.

    Example:
        >>> 'torch' in describe_machine()['versions']
        True
    """
    if device is None and torch.cuda.is_available():
        device = 'cuda'
    gpu = device is not None and torch.device(device).type == 'cuda'
    return dict(
        processor=_processor(),
        cores=os.cpu_count(),
        threads=torch.get_num_threads(),
        gpu=torch.cuda.get_device_name(device) if gpu else None,
        system=platform.system(),
        versions=dict(
            mlfm_mm=__version__,
            python=platform.python_version(),
            torch=torch.__version__,
            mmengine=mmengine.__version__,
            mmcv=mmcv.__version__,
        ),
        date=date.today().isoformat(),
    )


def _processor() -> str:
    """Name the model of the processor."""
    try:
        text = Path('/proc/cpuinfo').read_text(encoding='utf-8')
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r'^model name\s*: (.+)$', text, re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()


def place(machine: Machine) -> str:
    """Name the GPU or processor, for a caption.

    Args:
        machine (dict): From :func:`describe_machine`.

    Returns:
        str: The GPU, or the processor with its cores and threads.

    Example:
        >>> place(dict(processor='Abacus', cores=2, threads=1, gpu=None))
        'Abacus, 2 cores, 1 threads'
    """
    return machine['gpu'] or (
        f'{machine["processor"]}, {machine["cores"]} cores, '
        f'{machine["threads"]} threads'
    )
