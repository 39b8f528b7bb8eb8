"""Make a resumed run bitwise equal to one that was not interrupted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from ...registry import HOOKS
from ..draws import NETWORK, place_draws, seed_all
from ..models import optim_wrappers, unwrapped
from .switches import AfterSwitches, replay

KEY = 'exact_resume'
# What mmdet's BatchSyncRandomResize and its children draw for some iterations.
HELD = ('_input_size', 'interp_mode')


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Let nothing depend on how often a run was stopped, or when.

    The network's random numbers (dropout, drop path, mixing of images) become
    a function of the seed and the iteration, the pipeline's a function of the
    seed, the epoch and the image's position in it. Checkpoints store the
    seed, even where none was set, and the size that a batch augmentation has
    drawn for some iterations. They may be written within an epoch: the images
    already seen are skipped without being read.

    Bitwise equality needs the same number of processes and of images a step;
    where these differ, the run goes on and logs what changes. On a GPU it
    also needs ``randomness=dict(deterministic=True)`` and no
    ``cudnn_benchmark``.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.ExactResumeHook')]
    """

    # Before any other hook can draw random numbers.
    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Tie all random numbers to positions, and skip what was seen.

        Args:
            runner (Runner): The runner, resumed or new.
        """
        replay(runner)
        runner.register_hook(AfterSwitches(self._follow))
        loop, loader = runner.train_loop, runner.train_loop.dataloader
        now, before = self._here(runner, loader)
        self._warn_of_changes(runner, before, now)
        seen = runner.iter - before['began']
        skip = seen * before['images'] // now['images']
        now['began'] = runner.iter - skip
        self.place, self.loader = now, loader
        self.resizers = _resizers(runner.model)
        for resizer, held in zip(self.resizers, before['held'], strict=False):
            vars(resizer).update(held)
        runner.message_hub.update_info(KEY, now)
        self.batches = place_draws(
            loader, now['seed'], runner.rank, runner.world_size
        )
        if self.batches is None:
            runner.logger.warning(
                'The augmentation of this data loader cannot be seeded by '
                'image: it will differ after resuming.'
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
        """Describe the run's position, now and as the checkpoint has it."""
        before = runner.message_hub.runtime_info.get(KEY, {})
        sampler: Any = getattr(loader.batch_sampler, 'sampler', None)
        if hasattr(sampler, 'seed') and 'sampler_seed' in before:
            # The sampler was built before the checkpoint was read.
            sampler.seed = before['sampler_seed']
        size = getattr(loader.batch_sampler, 'batch_size', None) or 1
        # MMEngine may add the rank; all processes need the same seed here.
        rank_added = runner._randomness_cfg.get('diff_rank_seed', False)
        seed = runner.seed - runner.rank * rank_added
        now = dict(
            seed=before.get('seed', seed),
            sampler_seed=getattr(sampler, 'seed', None),
            processes=runner.world_size,
            images=size * runner.world_size,
            steps=len(loader),
            recipe=_recipe(runner),
            # The current epoch, and its first iteration.
            epoch=runner.epoch,
            began=runner.epoch * len(loader),
            held=[],
        )
        before = {**now, **before}
        if before['epoch'] != runner.epoch:
            # The checkpoint was written at the end of its epoch.
            before['began'] = runner.iter
        return now, before

    @staticmethod
    def _warn_of_changes(runner: Runner, before: dict, now: dict) -> None:
        """Warn of what a new recipe, or number of processes, changes."""
        was, recipe = before['recipe'], now['recipe']
        if changed := [key for key in recipe if recipe[key] != was.get(key)]:
            text = (
                f'Resumed with another {" and ".join(changed)}: the learning '
                f'rate goes on as planned before, for {was["length"]}.'
            )
            if changed != ['length']:
                text += (
                    ' New settings of the optimizer and the schedule have no '
                    'effect: to train by these, begin a run with '
                    'load_from=... and without resuming.'
                )
            runner.logger.warning(text)
        if all(before[k] == now[k] for k in ('processes', 'images', 'steps')):
            return
        text = (
            f'Resumed with {now["processes"]} processes, '
            f'{now["images"]} images a step and {now["steps"]} steps an '
            f'epoch, instead of {before["processes"]}, {before["images"]} '
            f'and {before["steps"]}: the run goes on at the same image, but '
            'its weights will differ from those of an uninterrupted run.'
        )
        if any(before[k] != now[k] for k in ('images', 'steps')):
            text += (
                ' The learning rate is not scaled, and schedules that count '
                'steps are shifted.'
            )
        runner.logger.warning(text)

    def before_train_epoch(self, runner: Runner) -> None:
        """Pass the epoch on to the batch sampler and to checkpoints."""
        if self.place['epoch'] != runner.epoch:
            self.place.update(epoch=runner.epoch, began=runner.iter)
        if self.batches is not None:
            self.batches.epoch = runner.epoch

    def _follow(self, runner: Runner) -> None:
        """Place the draws of a data loader that a hook has just built."""
        loader = runner.train_loop.dataloader
        if loader is self.loader:
            return
        self.loader = loader
        sampler: Any = getattr(loader.batch_sampler, 'sampler', None)
        if hasattr(sampler, 'seed'):
            # The host gives it none, so that it was drawn.
            sampler.seed = self.place['sampler_seed'] or 0
        skip = getattr(self.batches, 'skip', 0)
        self.batches = place_draws(
            loader, self.place['seed'], runner.rank, runner.world_size
        )
        if self.batches is not None:
            self.batches.skip, self.batches.epoch = skip, runner.epoch

    def after_train_epoch(self, runner: Runner) -> None:
        """Drop the offset of the iterations: later epochs begin at zero."""
        vars(runner.train_loop).pop('run_iter', None)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None
    ) -> None:
        """Seed what the network draws in this iteration."""
        seed_all(runner.seed, NETWORK, runner.iter)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: dict | None = None,
    ) -> None:
        """Note what batch augmentations hold for some iterations."""
        self.place['held'] = [
            {name: vars(part)[name] for name in HELD if name in vars(part)}
            for part in self.resizers
        ]

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Warn of accumulated gradients, which checkpoints do not hold."""
        if has_pending_gradients(runner):
            runner.logger.warning(
                'This checkpoint lies between two updates of the weights '
                '(accumulative_counts): the gradients so far are lost to a '
                'run that resumes from it.'
            )


def _recipe(runner: Runner) -> dict[str, str]:
    """Describe what MMEngine takes from a checkpoint, not from the config."""
    by_iter = isinstance(runner.train_loop, IterBasedTrainLoop)
    length = (
        f'{runner.max_iters} iterations'
        if by_iter
        else f'{runner.max_epochs} epochs'
    )
    wrapper = runner.cfg.get('optim_wrapper') or {}
    return dict(
        length=length,
        optimizer=_text(wrapper.get('optimizer')),
        schedule=_text(runner.cfg.get('param_scheduler')),
    )


def _text(settings: object) -> str:
    # Written configs have their keys sorted, and lists for tuples.
    return json.dumps(settings, sort_keys=True, default=str)


def _resizers(model: nn.Module) -> list[nn.Module]:
    """List the batch augmentations that hold a size of images."""
    found = getattr(unwrapped(model), 'data_preprocessor', None)
    parts = () if found is None else found.modules()
    return [part for part in parts if HELD[0] in vars(part)]


def has_pending_gradients(runner: Runner) -> bool:
    """Check whether accumulated gradients still wait for further batches."""
    return not all(w.should_update() for w in optim_wrappers(runner))


class _Stream(Iterator):
    """The dataloader iterator of a loop that counts iterations.

    MMEngine's own one, in some versions, reads all batches that it skips,
    and begins to read before the run is resumed.
    """

    def __init__(
        self, loader: DataLoader, replaced: object, done: int
    ) -> None:
        self.loader = loader
        self.iterator: Iterator | None = None
        # A loop that knows no ``skip_iter`` fetches each skipped batch.
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
