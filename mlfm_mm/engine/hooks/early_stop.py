"""Stop a run early where one that was never interrupted would stop."""

from __future__ import annotations

from math import isfinite

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
    last_score = 0.0

    def before_train(self, runner: Runner) -> None:
        """Take over what the checkpoint has counted.

        Args:
            runner (Runner): The runner, resumed or new.
        """
        info, key = runner.message_hub.runtime_info, self._key(runner)
        if key not in info:
            return
        self.best_score, self.wait_count, *last = info[key]
        # Those of an earlier version hold no other score.
        self.last_score = last[0] if last else self.best_score
        if self._is_over():
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
        self.last_score = float(metrics.get(self.monitor, self.last_score))
        counted = float(self.best_score), self.wait_count, self.last_score
        runner.message_hub.update_info(self._key(runner), counted)

    def _is_over(self) -> bool:
        """Tell whether a run has ended, by the settings as they are now."""
        goal, better = self.stopping_threshold, self.rule_map[self.rule]
        return (
            self.wait_count >= self.patience
            or (goal is not None and better(self.last_score, goal))
            or (self.check_finite and not isfinite(self.last_score))
        )

    def _key(self, runner: Runner) -> str:
        """Name its count: another such hook on the same metric has its own."""
        alike = [
            hook
            for hook in runner.hooks
            if isinstance(hook, ResumableEarlyStoppingHook)
            and hook.monitor == self.monitor
        ]
        number = alike.index(self)
        return f'early_stop/{self.monitor}' + (f'/{number}' if number else '')
