"""Several processes, also on machines without a GPU.

MMEngine's launchers select a CUDA device before anything else, and its
Runner hands a device to ``DistributedDataParallel``. Both fail without a
GPU; initializing the process group first, with gloo, and naming the wrapper
in the config avoids both. With a GPU, MMEngine does everything itself.
"""

import ctypes
import logging
import os
import subprocess
import sys
from signal import SIGKILL

import torch
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.dist import all_reduce, broadcast
from mmengine.logging import print_log
from mmengine.registry import MODEL_WRAPPERS, MODELS, RUNNERS
from mmengine.runner import FlexibleRunner
from torch.nn import Module, SyncBatchNorm
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.parallel import DistributedDataParallel

from ..registry import bare_name
from .batch import share_batch_size
from .errors import UsageError
from .kinds import dicts, is_kind
from .launchers import LAUNCHERS, RANKS
from .ranks import read_ranks, refuse_processes_alone

# Linux's prctl option for the signal to get when the parent dies.
PR_SET_PDEATHSIG = 1


def adapt_launcher(cfg: Config) -> None:
    """Prepare this process for the config's launcher.

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
        refuse_processes_alone()
        return
    processes, local_rank = read_ranks(launcher)
    die_with_parent()
    share_batch_size(cfg, processes)
    if get_device() == 'cpu':
        join_by_gloo(launcher)
        adapt_wrapper(cfg)
        replace_sync_bn(cfg)
        return
    # Slurm and MPI do not tell; there are at least local_rank + 1.
    check_gpus(int(os.environ.get('LOCAL_WORLD_SIZE', local_rank + 1)))


def die_with_parent() -> None:
    """Let this process be killed when its parent dies, for any reason.

    A launcher that is killed cannot stop its processes. Linux does it at
    once; elsewhere they go on until a collective fails.
    """
    if not sys.platform.startswith('linux'):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, SIGKILL)
    launcher = os.environ.get('MLFM_LAUNCHER')
    if launcher is not None and os.getppid() != int(launcher):
        # The launcher was killed before the call above.
        os._exit(1)


def highest(value: float) -> float:
    """Find the highest of the values that the processes have."""
    found = torch.tensor(float(value), device=get_device())
    all_reduce(found, 'max')
    return float(found)


def share_statistics(model: Module) -> None:
    """Give all processes the running statistics of the first one.

    A norm that is not synchronized sees other samples in each process, and
    checkpoints hold what the first one has.

    Args:
        model (nn.Module): The model, changed in place.
    """
    for module in model.modules():
        if isinstance(module, _NormBase):
            for buffer in module.buffers(recurse=False):
                broadcast(buffer.data)


def leave_together() -> None:
    """Leave the process group, if there is one, once all are done.

    A process that exits while another still communicates with it makes the
    other one abort, after all its work.
    """
    if not torch.distributed.is_initialized():
        return
    by_gloo = torch.distributed.get_backend() == 'gloo'
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
    if by_gloo:
        leave_at_once(0)


def leave(code: int) -> None:
    """Exit, with or without a process group.

    Args:
        code (int): The exit code.

    Raises:
        SystemExit: Unless :func:`leave_at_once` has ended the process.
    """
    group = torch.distributed
    if group.is_initialized() and group.get_backend() == 'gloo':
        leave_at_once(code)
    sys.exit(code)


def leave_at_once(code: int) -> None:
    """Exit without the interpreter's teardown.

    Threads of gloo that are still running would sometimes abort it.

    Args:
        code (int): The exit code.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def join_by_gloo(launcher: str) -> None:
    """Initialize the process group of a launcher, with gloo.

    Args:
        launcher (str): 'pytorch', 'slurm' or 'mpi'.
    """
    if torch.distributed.is_initialized():
        return
    for ours, theirs in zip(RANKS, LAUNCHERS[launcher].ranks, strict=True):
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
    """Let ``DistributedDataParallel`` use the CPU: without device ids.

    ``FlexibleRunner`` leaves the wrapper to its strategy.

    Args:
        cfg (Config): The config, changed in place.

    Example:
        >>> cfg = Config(dict(find_unused_parameters=True))
        >>> adapt_wrapper(cfg)
        >>> cfg.model_wrapper_cfg.device_ids is None
        True
    """
    # As MMEngine does where the config names no wrapper.
    default = dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    scope = cfg.get('default_scope')
    strategy = ConfigDict(cfg.get('strategy') or dict(type='DDPStrategy'))
    runner = dict(type=cfg.get('runner_type'))
    is_flexible = is_kind(runner, FlexibleRunner, RUNNERS, scope)
    given = cfg.get('model_wrapper_cfg')
    if is_flexible:
        given = strategy.get('model_wrapper')
    wrapper = ConfigDict(given or default)
    if is_kind(wrapper, DistributedDataParallel, MODEL_WRAPPERS, scope):
        wrapper.device_ids = None
    # Last, since a Config keeps a copy of what is assigned to it.
    if not is_flexible:
        cfg.model_wrapper_cfg = wrapper
    elif bare_name(strategy) == 'DDPStrategy':
        strategy.model_wrapper = wrapper
        cfg.strategy = strategy


def replace_sync_bn(cfg: Config) -> None:
    """Replace synchronized batch norm, which exists on GPUs only.

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
    strategy = cfg.get('strategy') or {}
    converts = [s.pop('sync_bn', None) for s in (cfg, strategy)]
    if layers or any(converts):
        print_log(
            'No GPU: SyncBN is replaced by BN, which sees the samples of '
            'its own process only.',
            logger='current',
        )


def check_gpus(processes: int) -> None:
    """Refuse more processes than there are GPUs, where there are any.

    Args:
        processes (int): How many run on this machine.

    Raises:
        UsageError: If there are more.
    """
    count = torch.cuda.device_count()
    if torch.cuda.is_available() and processes > count:
        raise UsageError(
            f'This machine has {count} GPUs for {processes} processes: start '
            f'at most {count} processes, or set CUDA_VISIBLE_DEVICES=-1 to '
            'use the CPU'
        )
