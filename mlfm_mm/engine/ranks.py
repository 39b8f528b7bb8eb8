"""Check what a launcher tells each of its processes."""

import os

from .errors import UsageError
from .launchers import LAUNCHERS


def read_ranks(launcher: str) -> tuple[int, int]:
    """Read the world size and the local rank that a launcher gives.

    Args:
        launcher (str): 'pytorch', 'slurm' or 'mpi'.

    Returns:
        tuple[int, int]: The number of processes, and this one's on its
        machine.

    Raises:
        UsageError: If the environment lacks them, or if they are impossible.
    """
    ranks, remedy = LAUNCHERS[launcher].ranks, LAUNCHERS[launcher].remedy
    given = {name: os.environ.get(name) for name in ranks}
    missing = [name for name, value in given.items() if value is None]
    if missing:
        raise UsageError(
            f'--launcher {launcher} needs the environment that the launcher '
            f'sets ({", ".join(missing)} missing): {remedy}'
        )
    rank, processes, local_rank = (
        int(value) if value and value.isdecimal() else -1
        for value in given.values()
    )
    if not (0 <= rank < processes and 0 <= local_rank < processes):
        raise UsageError(
            f'--launcher {launcher} gets impossible values '
            f'({", ".join(f"{k}={v}" for k, v in given.items())}): {remedy}'
        )
    return processes, local_rank


def refuse_processes_alone() -> None:
    """Refuse several processes that would each train on their own.

    Raises:
        UsageError: If several have been started without --launcher.
    """
    for name, launcher in LAUNCHERS.items():
        processes = os.environ.get(launcher.count, '1')
        # WORLD_SIZE may be left over from something else.
        if name == 'pytorch' and 'TORCHELASTIC_RUN_ID' not in os.environ:
            continue
        if processes != '1':
            raise UsageError(
                f'{launcher.program} has started {processes} processes, which '
                f'would all do the same work: add --launcher {name}'
            )
