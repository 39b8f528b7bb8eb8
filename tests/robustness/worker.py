"""One process of a distributed step; test_distribution.py starts them.

Usage: worker.py {ddp,fsdp,fsdp2} FILE NORM CP, with torchrun's variables. Rank
0 writes the gradients of a step on its share of a fixed batch, averaged over
processes.
"""

import sys
from functools import partial

import torch
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.fsdp.wrap import ModuleWrapPolicy

from mlfm_mm import LFMU
from mlfm_mm.engine import leave_together
from tests.robustness.models import gradients, images, narrow

# Group norm does not look across a batch, which the processes divide.
NORMS = dict(GN=dict(type='GN', num_groups=2), BN=dict(type='BN'))


def build() -> nn.Module:
    norm, with_cp = NORMS[sys.argv[3]], sys.argv[4] == 'with_cp'
    return narrow(dict(norm_cfg=norm), norm_cfg=norm, with_cp=with_cp).train()


def share() -> torch.Tensor:
    """A process's part of a batch; for batch norm, all get the same one."""
    rank, world = dist.get_rank(), dist.get_world_size()
    if sys.argv[3] == 'BN':
        return images(4, 3, 64, 64)
    return images(4, 3, 64, 64).chunk(world)[rank]


def step(model: nn.Module) -> None:
    # Twice: DDP complains of an unused parameter at the second pass.
    for _ in range(2):
        model.zero_grad()
        model(share()).square().mean().backward()


def run_ddp() -> dict:
    model = build()
    step(
        MMDistributedDataParallel(
            model, device_ids=None, find_unused_parameters=False
        )
    )
    return gradients(model)


def run_fsdp() -> dict:
    policy = ModuleWrapPolicy({LFMU})
    model = FullyShardedDataParallel(
        build(),
        auto_wrap_policy=policy,
        use_orig_params=True,
        device_id=torch.device('cpu'),
    )
    step(model)
    with FullyShardedDataParallel.summon_full_params(model, with_grads=True):
        return {
            k.replace('_fsdp_wrapped_module.', ''): v.clone()
            for k, v in gradients(model).items()
        }


def run_fsdp2() -> dict:
    model = build()
    mesh = dist.init_device_mesh('cpu', (dist.get_world_size(),))
    shard = partial(fully_shard, mesh=mesh)
    for unit in model.neck.units:
        shard(unit)
    for i in range(1, 5):
        shard(model.backbone.get_submodule(f'layer{i}'))
    shard(model)
    step(model)
    return {k: v.full_tensor() for k, v in gradients(model).items()}


def main() -> None:
    torch.set_num_threads(1)
    dist.init_process_group('gloo')
    run = dict(ddp=run_ddp, fsdp=run_fsdp, fsdp2=run_fsdp2)[sys.argv[1]]
    found = run()
    if dist.get_rank() == 0:
        torch.save(found, sys.argv[2])
    leave_together()


if __name__ == '__main__':
    main()
