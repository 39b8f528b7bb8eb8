"""What starts several processes, and what it tells each of them."""

import os
from dataclasses import dataclass

from .errors import UsageError


@dataclass(frozen=True)
class Launcher:
    """What starts several processes.

    Args:
        program (str): Its name.
        remedy (str): How to start it.
        ranks (tuple[str, str, str]): Its environment variables for rank,
            world size and local rank.
        count (str): One that tells the number of processes even without
            ``--launcher``.
    """

    program: str
    remedy: str
    ranks: tuple[str, str, str]
    count: str


# torchrun's variables, which PyTorch itself reads.
RANKS = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK')
LAUNCHERS = {
    'pytorch': Launcher(
        'torchrun',
        'start it by tools/dist_train.sh or by torchrun',
        RANKS,
        'WORLD_SIZE',
    ),
    'slurm': Launcher(
        'srun',
        'start it by tools/slurm_train.sh or by srun',
        ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
        'SLURM_STEP_NUM_TASKS',
    ),
    'mpi': Launcher(
        'mpirun',
        'start it by mpirun',
        (
            'OMPI_COMM_WORLD_RANK',
            'OMPI_COMM_WORLD_SIZE',
            'OMPI_COMM_WORLD_LOCAL_RANK',
        ),
        'OMPI_COMM_WORLD_SIZE',
    ),
}


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
