"""What starts several processes, and what it tells each of them."""

import os
from dataclasses import dataclass


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


def ranks_told() -> list[str]:
    """List the ranks that this process has been told, if it is one of several.

    Example:
        >>> ranks_told()
        []
    """
    return [
        os.environ.get(launcher.ranks[0], '0')
        for launcher in LAUNCHERS.values()
        if os.environ.get(launcher.count, '1') != '1'
    ]
