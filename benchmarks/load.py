"""Detect other programs that run beside a measurement."""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import fmean

from mlfm_mm.analysis.machine import Machine

SAMPLES, INTERVAL = 20, 0.05


def others_running() -> float:
    """Count the programs that run at the moment, without this one.

    The system's load average would not do: for minutes it contains what this
    program, or one before it, has computed.

    Returns:
        float: Their mean number over a second; without ``/proc`` the load
        average of the last minute, or 0.
    """
    counts = []
    try:
        for _ in range(SAMPLES):
            time.sleep(INTERVAL)
            running = Path('/proc/loadavg').read_text().split()[3]
            # This program is running, too.
            counts.append(int(running.partition('/')[0]) - 1)
    except OSError:
        return os.getloadavg()[0] if hasattr(os, 'getloadavg') else 0.0
    return fmean(counts)


def busy(machine: Machine) -> str | None:
    """Warn where other programs were running.

    Args:
        machine (dict): What :func:`others_running` found under ``'load'``,
            and the number of ``'cores'``.

    Returns:
        str | None: The warning; None on a quiet machine.

    Example:
        >>> busy(dict(load=0.2, cores=2))
        >>> busy(dict(load=3.5, cores=2))
        'The machine was busy: 3.5 programs ran on its 2 cores at the start.
        Measure again when it is quiet.'
    """
    if machine['load'] <= machine['cores'] / 2:
        return None
    return (
        f'The machine was busy: {machine["load"]:.1f} programs ran on its '
        f'{machine["cores"]} cores at the start. Measure again when it is '
        'quiet.'
    )
