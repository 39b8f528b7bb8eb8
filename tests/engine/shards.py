"""Check sharded tensors, in processes of torchrun's variables.

It prints the results for one without a bad number, one with such a number in
the last shard only, and one whose squares are infinite.
"""

import math

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

from mlfm_mm.engine.finite import all_finite


def main() -> None:
    dist.init_process_group('gloo')
    mesh = init_device_mesh('cpu', (dist.get_world_size(),))
    for last in (1, math.nan, 1e30):
        values = torch.ones(8, 3)
        values[-1, 0] = last
        print(all_finite([distribute_tensor(values, mesh, [Shard(0)])]))
    dist.destroy_process_group()


if __name__ == '__main__':
    main()
