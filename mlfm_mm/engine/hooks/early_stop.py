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

    def before_train(self, runner: Runner) -> None:
        """Take over what the checkpoint has counted.

        Args:
            runner (Runner): The runner, resumed or new.
        """
        info = runner.message_hub.runtime_info
        if self._key not in info:
            return
        self.best_score, self.wait_count = info[self._key]
        # Unless the patience is larger now, there is nothing left to train.
        if self.wait_count >= self.patience or self._has_arrived():
            runner.train_loop.stop_training = True

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float]
    ) -> None:
        """Count a validation, and remember the count in checkpoints.

        Args:
            runner (Runner): The runner.
            metrics (dict[str, float]): The results of the validation.
        """
        super().after_val_epoch(runner, metrics)
        counted = float(self.best_score), self.wait_count
        runner.message_hub.update_info(self._key, counted)

    @property
    def _key(self) -> str:
        return f'early_stop/{self.monitor}'

    def _has_arrived(self) -> bool:
        goal, better = self.stopping_threshold, self.rule_map[self.rule]
        return goal is not None and better(self.best_score, goal)
