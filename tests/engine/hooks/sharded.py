"""Train with sharded weights, in processes of torchrun's variables.

Usage: sharded.py FOLDER NETWORK. On a CPU: PyTorch has to be told so. It
prints whether this process's shard of the weights has changed.
"""

import sys

import torch
from mmengine.model import MMFullyShardedDataParallel
from mmengine.registry import MODEL_WRAPPERS

from mlfm_mm.engine import leave_together
from mlfm_mm.engine.runner import build_runner
from mlfm_mm.engine.survival import protect
from tests.engine.hooks.toy import toy_config


@MODEL_WRAPPERS.register_module()
class OnCPU(MMFullyShardedDataParallel):
    def __init__(self, module: torch.nn.Module, **more: object) -> None:
        more['device_id'] = torch.device('cpu')
        super().__init__(module, **more)
        self.begun = [p.detach().clone() for p in self.parameters()]


def main() -> None:
    cfg = toy_config(sys.argv[1])
    protect(cfg)
    cfg.model.type = sys.argv[2]
    cfg.default_hooks.checkpoint.max_keep_ckpts = 1
    cfg.default_hooks.finite_guard.update(policy='skip', patience=99)
    cfg.update(
        runner_type='FlexibleRunner',
        env_cfg=dict(dist_cfg=dict(backend='gloo')),
        strategy=dict(type='FSDPStrategy', model_wrapper=dict(type='OnCPU')),
        launcher='pytorch',
        filename=None,
    )
    runner = build_runner(cfg)
    model = runner.train()
    pairs = zip(model.begun, model.parameters(), strict=True)
    print('the same:', all(torch.equal(a, b) for a, b in pairs))
    leave_together()


if __name__ == '__main__':
    main()
