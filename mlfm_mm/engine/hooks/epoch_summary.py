"""Record the time and the mean loss of each training epoch."""

import time

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...registry import HOOKS


@HOOKS.register_module()
class EpochSummaryHook(Hook):
    """Record the mean loss and the seconds of each training epoch.

    They go where losses and metrics go, as the scalars ``epoch_loss`` and
    ``epoch_time`` (without validation and saving). The Runner logs averages
    over a few iterations, from which neither can be computed exactly.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.EpochSummaryHook')]
    """

    def before_train_epoch(self, runner: Runner) -> None:
        """Start the clock."""
        self.start = self._now()

    def after_train_epoch(self, runner: Runner) -> None:
        """Stop the clock and record."""
        seconds = self._now() - self.start
        runner.visualizer.add_scalars(
            dict(epoch_loss=mean_loss(runner), epoch_time=seconds),
            step=runner.epoch + 1,
        )

    @staticmethod
    def _now() -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter()


def mean_loss(runner: Runner) -> float:
    """Average the training loss over the epoch that just ended.

    Args:
        runner (Runner): The runner.

    Returns:
        float: The mean over all iterations of the epoch.
    """
    losses = runner.message_hub.get_scalar('train/loss')
    return float(losses.mean(len(runner.train_dataloader)))
