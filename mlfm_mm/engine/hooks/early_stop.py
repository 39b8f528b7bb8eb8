"""Stop a run early where one that was never interrupted would stop."""

from __future__ import annotations

from mmengine.hooks import EarlyStoppingHook
from mmengine.runner import Runner

from ...registry import HOOKS


@HOOKS.register_module()
class ResumableEarlyStoppingHook(EarlyStoppingHook):
    """MMEngine's early stopping, which goes on counting in a resumed run.

    MMEngine's own begins to count anew, so that a run which was interrupted
    stops later, and one which has stopped trains on when it is resumed.

    Args:
        **kwargs: Arguments of :class:`mmengine.hooks.EarlyStoppingHook`.

    Example:
        >>> custom_hooks = [
        ...     dict(
        ...         type='mlfm_mm.ResumableEarlyStoppingHook',
        ...         monitor='accuracy/top1',
        ...     )
        ... ]
    """

    # Counts before the last checkpoint is written again after a new best.
    priority = 'LOW'
    # Whether a run has ended that more patience would not have kept going.
    is_over = False

    def before_train(self, runner: Runner) -> None:
        """Take over what the checkpoint has counted.

        Args:
            runner (Runner): The runner, resumed or new.
        """
        info = runner.message_hub.runtime_info
        if self._key not in info:
            return
        self.best_score, self.wait_count, self.is_over = info[self._key]
        if self.is_over or self.wait_count >= self.patience:
            runner.train_loop.stop_training = True
            runner.logger.info(
                f'Early stopping by {self.monitor} has ended this run: '
                'nothing is left to train.'
            )

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float]
    ) -> None:
        """Count a validation, and remember the count in checkpoints.

        Args:
            runner (Runner): The runner.
            metrics (dict[str, float]): The results of the validation.
        """
        super().after_val_epoch(runner, metrics)
        counted = float(self.best_score), self.wait_count, self.is_over
        runner.message_hub.update_info(self._key, counted)

    def _check_stop_condition(self, current_score: float) -> tuple[bool, str]:
        """Note whether the run has ended for want of more than patience."""
        stops, reason = super()._check_stop_condition(current_score)
        self.is_over = stops and self.wait_count < self.patience
        return stops, reason

    @property
    def _key(self) -> str:
        """str: What tells its count from that of another such hook.

        Two of them that differ by their patience count the same.
        """
        told = self.monitor, self.rule, self.min_delta, self.stopping_threshold
        return f'early_stop/{"/".join(map(str, told))}'
