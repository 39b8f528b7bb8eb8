"""Several processes, also on machines without a GPU.

MMEngine's launchers select a CUDA device before anything else, and its
Runner hands a device to ``DistributedDataParallel``. Both fail without a
GPU; initialising the process group first, with gloo, and naming the wrapper
in the config avoids both. With a GPU, MMEngine does everything itself.
"""

import os
import subprocess

import torch
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.registry import MODEL_WRAPPERS, MODELS
from torch.nn import SyncBatchNorm
from torch.nn.parallel import DistributedDataParallel

from .batch import share_batch_size
from .errors import UsageError
from .kinds import dicts, is_kind

# Where each launcher tells rank, number of processes and local rank.
RANKS = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK')
VARIABLES = {
    'pytorch': RANKS,
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    'mpi': (
        'OMPI_COMM_WORLD_RANK',
        'OMPI_COMM_WORLD_SIZE',
        'OMPI_COMM_WORLD_LOCAL_RANK',
    ),
}
REMEDIES = {
    'pytorch': 'start it by tools/dist_train.sh or by torchrun',
    'slurm': 'start it by tools/slurm_train.sh or by srun',
    'mpi': 'start it by mpirun',
}


def adapt_launcher(cfg: Config) -> None:
    """Prepare the processes of a config's launcher.

    Args:
        cfg (Config): The config, changed in place: its batch is shared out,
            and without a GPU, the wrapper of its model and its norm layers
            are replaced.

    Raises:
        UsageError: If the launcher's environment is missing, if the batch
            cannot be shared out, or if a machine runs more processes than
            it has GPUs.
    """
    launcher = cfg.get('launcher', 'none')
    if launcher == 'none':
        return
    missing = [n for n in VARIABLES[launcher] if n not in os.environ]
    if missing:
        raise UsageError(
            f'--launcher {launcher} needs the environment that the launcher '
            f'sets ({", ".join(missing)} missing): {REMEDIES[launcher]}'
        )
    share_batch_size(cfg, int(os.environ[VARIABLES[launcher][1]]))
    if get_device() == 'cpu':
        join_by_gloo(launcher)
        adapt_wrapper(cfg)
        replace_sync_bn(cfg)
        return
    check_gpus(int(os.environ[VARIABLES[launcher][2]]))


def join_by_gloo(launcher: str) -> None:
    """Join the process group of a launcher, over the network.

    Args:
        launcher (str): 'pytorch', 'slurm' or 'mpi'.
    """
    if torch.distributed.is_initialized():
        return
    for ours, theirs in zip(RANKS, VARIABLES[launcher], strict=True):
        os.environ[ours] = os.environ[theirs]
    os.environ.setdefault('MASTER_PORT', '29500')
    if 'MASTER_ADDR' not in os.environ:
        os.environ['MASTER_ADDR'] = first_host()
    torch.distributed.init_process_group('gloo')


def first_host() -> str:
    """Find the machine of the first process.

    Returns:
        str: The first machine of a Slurm job, else this machine.
    """
    nodes = os.environ.get('SLURM_NODELIST')
    if not nodes or os.environ.get('SLURM_NNODES', '1') == '1':
        return '127.0.0.1'
    command = ['scontrol', 'show', 'hostnames', nodes]
    return subprocess.check_output(command, text=True).split()[0]


def adapt_wrapper(cfg: Config) -> None:
    """Tell ``DistributedDataParallel`` that there is no device.

    Args:
        cfg (Config): The config, changed in place.

    Example:
        >>> cfg = Config(dict(find_unused_parameters=True))
        >>> adapt_wrapper(cfg)
        >>> cfg.model_wrapper_cfg.device_ids is None
        True
    """
    # What MMEngine chooses where the config names no wrapper.
    chosen = dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    wrapper = ConfigDict(cfg.get('model_wrapper_cfg') or chosen)
    scope = cfg.get('default_scope')
    if is_kind(wrapper, DistributedDataParallel, MODEL_WRAPPERS, scope):
        wrapper.device_ids = None
    # Last, since a Config keeps a copy of what is assigned to it.
    cfg.model_wrapper_cfg = wrapper


def replace_sync_bn(cfg: Config) -> None:
    """Replace synchronised batch norm, which exists on GPUs only.

    Args:
        cfg (Config): The config, changed in place.
    """
    scope = cfg.get('default_scope')
    layers = [
        settings
        for settings in dicts(cfg.model)
        if is_kind(settings, SyncBatchNorm, MODELS, scope)
    ]
    for layer in layers:
        layer['type'] = 'BN'
    converts = cfg.pop('sync_bn', None) is not None
    if layers or converts:
        print_log(
            'No GPU: SyncBN is replaced by BN, which sees the samples of '
            'its own process only.',
            logger='current',
        )


def check_gpus(local_rank: int) -> None:
    """Refuse more processes on a machine than it has GPUs.

    Args:
        local_rank (int): The process's number on this machine.

    Raises:
        UsageError: If there is no GPU for it.
    """
    count = torch.cuda.device_count()
    if torch.cuda.is_available() and local_rank >= count:
        raise UsageError(
            f'process {local_rank} of this machine has no GPU of its own '
            f'({count} found): start at most {count} processes, or set '
            'CUDA_VISIBLE_DEVICES=-1 to use the CPU'
        )
