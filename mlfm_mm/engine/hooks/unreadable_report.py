"""Report at the end of an epoch which images could not be read."""

from __future__ import annotations

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from ...datasets.images import shorten
from ...datasets.unreadable import files_of, policies_in
from ...registry import HOOKS

# How many files are named; the others are counted.
NAMED = 10


@HOOKS.register_module()
class UnreadableReportHook(Hook):
    """Count and name the images that were replaced because they are broken.

    It serves the datasets of this package and
    :class:`mlfm_mm.datasets.ReadableDataset`, which replace them; with others
    it does nothing.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.UnreadableReportHook')]
    """

    def after_train_epoch(self, runner: Runner) -> None:
        """Report."""
        self.report(runner, f'Epoch {runner.epoch + 1}')

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Report."""
        self.report(runner, f'Validation after iteration {runner.iter}')

    def after_test_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Report."""
        self.report(runner, 'Test')

    def report(self, runner: Runner, when: str) -> None:
        """Write a line for each dataset that met broken images.

        Args:
            runner (Runner): Has the log.
            when (str): What has ended.
        """
        loops = dict(
            training=runner._train_loop,
            validation=runner._val_loop,
            test=runner._test_loop,
        )
        for stage, loop in loops.items():
            if not isinstance(loop, BaseLoop):
                continue  # settings of one that does not run
            dataset = loop.dataloader.dataset
            mine = [
                files_of(part.get_data_info(index))[0]
                for part, policy in policies_in(dataset)
                for index in policy.take_failed()
            ]
            # Each process has met different ones.
            names = sorted(
                {n for some in all_gather_object(mine) for n in some}
            )
            if names:
                runner.logger.warning(
                    f'{when}: {len(names)} of {len(dataset)} '
                    f'{stage} images cannot be decoded, and others took '
                    f'their place: {shorten(names, NAMED)}.'
                )
