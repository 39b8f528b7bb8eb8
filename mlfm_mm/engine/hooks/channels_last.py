"""Train with the memory layout that convolutions are fastest in."""

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Keep weights, and so all maps, in the channels-last layout.

    A convolution with a channels-last weight returns a channels-last map,
    whatever its input. Depthwise convolutions on a CPU and mixed precision
    on a GPU gain most; results change by rounding only.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.ChannelsLastHook')]
    """

    def before_run(self, runner: Runner) -> None:
        """Rearrange the weights, before anything is loaded into them."""
        runner.model.to(memory_format=torch.channels_last)
