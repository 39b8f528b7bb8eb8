"""Make up for a validation that a kill cut short."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from ...registry import HOOKS
from ..distributed import share_statistics
from .exact_resume import KEY as EXACT_RESUME

# Not 'val...', which loggers take for metrics of the validation.
KEY = 'last_validation'


@HOOKS.register_module()
class MissedValidationHook(Hook):
    """Validate first where a run resumes from just before a validation.

    Checkpoints are written before the validation that follows. A run resumed
    from one would skip it, and with it the best weights or the final metrics.
    Several processes all validate what a checkpoint holds: the running
    statistics of the first one.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.MissedValidationHook')]
    """

    # After all other hooks are ready.
    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        """Validate, if that was due.

        Args:
            runner (Runner): The runner.
        """
        if not runner._resume or runner.val_loop is None:
            return
        loop = runner.train_loop
        loop._decide_current_val_interval()
        done, end = self._progress(runner)
        due = done % loop.val_interval == 0 or done == end
        missed = runner.message_hub.runtime_info.get(KEY) != done
        if due and missed and done >= max(loop.val_begin, 1):
            runner.logger.info(
                'The validation after this checkpoint comes first.'
            )
            runner.val_loop.run()

    def before_val_epoch(self, runner: Runner) -> None:
        """Record the validation in the checkpoints saved after it."""
        # The last hook to act: averages have taken their place by now. After
        # resuming, all processes begin with the statistics of the first.
        share_statistics(runner.model)
        runner.message_hub.update_info(KEY, self._progress(runner)[0])

    @staticmethod
    def _progress(runner: Runner) -> tuple[float, int]:
        """Return progress and end, in iterations or epochs (x.5: within)."""
        loop = runner.train_loop
        if isinstance(loop, IterBasedTrainLoop):
            return runner.iter, runner.max_iters
        place = runner.message_hub.runtime_info.get(EXACT_RESUME, {})
        began = place.get('began', runner.epoch * len(loop.dataloader))
        within = place.get('epoch') == runner.epoch and began != runner.iter
        return runner.epoch + within / 2, runner.max_epochs
