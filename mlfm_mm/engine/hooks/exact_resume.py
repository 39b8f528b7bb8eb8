"""A run that is stopped and resumed ends with the bits of one that is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from ...registry import HOOKS
from ..draws import NETWORK, place_draws, seed_all

KEY = 'exact_resume'


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Let nothing depend on how often a run was stopped, or when.

    What the network draws (dropout, drop path, mixing of images) becomes a
    function of the seed and the iteration, what the pipeline draws one of
    the seed, the epoch and the image's place in it. Checkpoints carry the
    seed, also where none was set, and may lie in the middle of an epoch: the
    images that were seen are skipped without being read.

    The same bits need the same number of processes and images a step; where
    these differ, the run goes on and says what changes. On a GPU they need
    ``randomness=dict(deterministic=True)`` and no ``cudnn_benchmark``, too.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.ExactResumeHook')]
    """

    # Before any other hook can draw.
    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Put all draws in their place, from where the run stands.

        Args:
            runner (Runner): The runner, resumed or new.
        """
        loop, loader = runner.train_loop, runner.train_loop.dataloader
        now, before = self._here(runner, loader)
        self._warn_of_changes(runner, before, now)
        seen = runner.iter - before['began']
        skip = seen * before['images'] // now['images']
        now['began'] = runner.iter - skip
        self.place = now
        runner.message_hub.update_info(KEY, now)
        self.batches = place_draws(
            loader, now['seed'], runner.rank, runner.world_size
        )
        if self.batches is None:
            runner.logger.warning(
                'The data loader gives no batches of numbered images: what '
                'its images draw will differ after resuming.'
            )
            return
        self.batches.skip = skip
        if isinstance(loop, IterBasedTrainLoop):
            self.batches.endless = True
            loop.dataloader_iterator = _Stream(
                loader, loop.dataloader_iterator, runner.iter
            )
        elif skip:
            inner = loop.run_iter
            loop.run_iter = lambda i, batch: inner(i + skip, batch)

    def _here(self, runner: Runner, loader: DataLoader) -> tuple[dict, dict]:
        """Say where the run stands, now and as the checkpoint has it."""
        before = runner.message_hub.runtime_info.get(KEY, {})
        sampler: Any = getattr(loader.batch_sampler, 'sampler', None)
        if hasattr(sampler, 'seed') and 'sampler_seed' in before:
            # It was built before the checkpoint was read.
            sampler.seed = before['sampler_seed']
        size = getattr(loader.batch_sampler, 'batch_size', None) or 1
        now = dict(
            seed=before.get('seed', self._common_seed(runner)),
            sampler_seed=getattr(sampler, 'seed', None),
            processes=runner.world_size,
            images=size * runner.world_size,
            steps=len(loader),
            # The epoch at work, and the iteration in which it began.
            epoch=runner.epoch,
            began=runner.epoch * len(loader),
        )
        before = {**now, **before}
        if before['epoch'] != runner.epoch:
            # It was written at the end of its epoch.
            before['began'] = runner.iter
        return now, before

    @staticmethod
    def _common_seed(runner: Runner) -> int:
        """Find the seed that all processes share."""
        differs = runner._randomness_cfg.get('diff_rank_seed', False)
        return runner.seed - runner.rank * differs

    @staticmethod
    def _warn_of_changes(runner: Runner, before: dict, now: dict) -> None:
        """Say what another number of processes or images changes."""
        if all(before[k] == now[k] for k in ('processes', 'images', 'steps')):
            return
        runner.logger.warning(
            f'Resumed with {now["processes"]} processes, '
            f'{now["images"]} images a step and {now["steps"]} steps an '
            f'epoch, instead of {before["processes"]}, {before["images"]} '
            f'and {before["steps"]}: the run goes on at the same image, but '
            'its weights will differ from those of an uninterrupted run; '
            'the learning rate stays, and what counts steps comes earlier '
            'or later.'
        )

    def before_train_epoch(self, runner: Runner) -> None:
        """Tell the images, and checkpoints, which epoch it is."""
        if self.place['epoch'] != runner.epoch:
            self.place.update(epoch=runner.epoch, began=runner.iter)
        if self.batches is not None:
            self.batches.epoch = runner.epoch

    def after_train_epoch(self, runner: Runner) -> None:
        """Later epochs begin at their beginning."""
        vars(runner.train_loop).pop('run_iter', None)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None
    ) -> None:
        """Seed what the network draws in this iteration."""
        seed_all(runner.seed, NETWORK, runner.iter)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Say so where a checkpoint cannot hold all that a run is."""
        wrapper = runner.optim_wrapper
        counts = getattr(wrapper, '_accumulative_counts', 1)
        if wrapper._inner_count % counts if counts > 1 else False:
            runner.logger.warning(
                'This checkpoint lies between two updates of the weights '
                f'(accumulative_counts={counts}): the gradients so far are '
                'lost to a run that resumes from it.'
            )


class _Stream(Iterator):
    """The batches of a loop that counts iterations.

    MMEngine's own one reads, in some versions, all that is to be skipped,
    and begins to read before the run is resumed.
    """

    def __init__(
        self, loader: DataLoader, replaced: object, done: int
    ) -> None:
        self.loader = loader
        self.iterator: Iterator | None = None
        # Without ``skip_iter``, the loop asks for what is to be skipped.
        self.unread = 0 if hasattr(replaced, 'skip_iter') else done

    def skip_iter(self, num_iters: int) -> None:
        """Do nothing: the batch sampler skips."""

    def __next__(self) -> object:
        if self.unread:
            self.unread -= 1
            return None
        if self.iterator is None:
            self.iterator = iter(self.loader)
        return next(self.iterator)
