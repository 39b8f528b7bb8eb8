"""Record the time and the mean loss of each training epoch."""

import time

import torch
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from ...registry import HOOKS

# Where checkpoints keep the time that was spent on an unfinished epoch.
SPENT = 'epoch_seconds_spent'


@HOOKS.register_module()
class EpochSummaryHook(Hook):
    """Record the mean loss and the seconds of each training epoch.

    They go where losses and metrics go, as the scalars ``epoch_loss`` and
    ``epoch_time`` (without validation and saving). The Runner logs averages
    over a few iterations, from which neither can be computed exactly. The time
    of an epoch that was interrupted is that of its parts; a run that counts
    iterations has no epochs, and nothing is recorded.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.EpochSummaryHook')]
    """

    def before_train_epoch(self, runner: Runner) -> None:
        """Start the clock, at what an interrupted epoch has taken so far."""
        spent = runner.message_hub.get_info(SPENT, 0.0)
        self.start = self._now() - spent

    def after_train_iter(
        self, runner: Runner, *args: object, **kwargs: object
    ) -> None:
        """Note the time so far for a checkpoint within the epoch."""
        # Not synchronized, which would make each step wait for the GPU.
        spent = time.perf_counter() - self.start
        runner.message_hub.update_info(SPENT, spent)

    def after_train_epoch(self, runner: Runner) -> None:
        """Stop the clock and record."""
        # MMEngine calls all iterations, with their validations, one epoch.
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            return
        seconds = self._now() - self.start
        runner.message_hub.update_info(SPENT, 0.0)
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
