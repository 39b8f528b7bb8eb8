"""Checkpoints that no kill, no full disk and no copying can lose."""

from __future__ import annotations

import time
from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from ...registry import HOOKS
from .. import checkpoints
from ..full_disk import tolerate_full_disk
from ..resume import check_asked, choose_checkpoint


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's checkpoints, of which a whole one always exists.

    - Each is written to a temporary file, flushed to disk and renamed; then
      ``last_checkpoint``; only then are older ones deleted. The best are
      kept likewise.
    - A write that fails (a full disk) keeps what was there, and is logged.
    - ``resume=True`` takes the newest checkpoint that is whole, logs those
      it passes over, and starts anew only in a folder without any.
    - Nothing outside the run's folder is deleted, even where it is a copy.

    Those on remote backends, or that are folders, are left to MMEngine.

    Args:
        on_failure (str): What to do if a write fails: ``'continue'`` to train
            on, ``'stop'`` to raise the error. Defaults to ``'continue'``; if
            the last checkpoint of a run is missing, its end raises the error
            in any case.
        start_from (str, optional): Weights to begin with where there is
            nothing to resume from. Defaults to None.
        **kwargs: Arguments of :class:`mmengine.hooks.CheckpointHook`.

    Raises:
        ValueError: If ``on_failure`` is neither of the two.

    Example:
        >>> default_hooks = dict(
        ...     checkpoint=dict(type='mlfm_mm.SafeCheckpointHook', interval=1)
        ... )
    """

    last_ckpt: str | None
    # The iteration of ``last_ckpt``, and why a later write failed.
    last_iter, failure = -1, ''

    def __init__(
        self,
        on_failure: str = 'continue',
        start_from: str | None = None,
        **kwargs: object,
    ) -> None:
        if on_failure not in ('continue', 'stop'):
            raise ValueError(
                f'on_failure={on_failure!r} is not known: it must be '
                "'continue' or 'stop'"
            )
        super().__init__(**kwargs)
        self.on_failure, self.start_from = on_failure, start_from
        # The epoch and the iteration of what is being written.
        self.place: dict[str, int] = {}

    def before_run(self, runner: Runner) -> None:
        """Choose the checkpoint to resume from.

        Args:
            runner (Runner): The runner, whose ``_load_from`` is set.

        Raises:
            UsageError: If checkpoints are there but none is whole, if the
                one that was asked for is not, or if ``filename_tmpl`` names
                a folder.
        """
        self.folder = checkpoints.folder_of(runner.work_dir, self.out_dir)
        where, client = self.out_dir or runner.work_dir, self.file_client_args
        self.is_local = checkpoints.is_local(where, client, runner)
        if self.is_local:
            checkpoints.check_name(self.filename_tmpl)
        if self.on_failure == 'continue':
            tolerate_full_disk(runner)
        if not runner._resume or not self.is_local:
            return
        suffix = Path(self.filename_tmpl).suffix
        if runner._load_from is None:
            path = choose_checkpoint(self.folder, suffix)
            runner._resume = path is not None
            runner._load_from = str(path) if path else self.start_from
        elif '://' not in runner._load_from:
            check_asked(Path(runner._load_from), self.folder, suffix)

    def before_train(self, runner: Runner) -> None:
        """Take over what earlier processes of the run have left."""
        info = runner.message_hub.runtime_info
        if self.is_local:
            # The folder may be a copy, which must not use its original's.
            for key in [k for k in info if k.startswith('best_ckpt')]:
                info[key] = str(self.folder / Path(info[key]).name)
        super().before_train(runner)
        if not self.is_local:
            return
        if runner._resume and '://' not in runner._load_from:
            resumed = Path(runner._load_from).resolve()
            info['last_ckpt'] = str(resumed)
            if resumed.parent == self.folder.resolve():
                self.last_ckpt, self.last_iter = str(resumed), runner.iter
        if is_main_process():
            checkpoints.remove_parts(self.folder, self.filename_tmpl)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Note when it is written: MMEngine notes the local time alone."""
        # FlexibleRunner would count one too far after a validation.
        checkpoint['meta'].update(self.place, written=time.time())

    def after_train(self, runner: Runner) -> None:
        """Publish; raise an error if the last could not be written."""
        super().after_train(runner)
        if self.failure:
            raise OSError(f'training has ended, but {self.failure}')

    def save_now(self, runner: Runner) -> bool:
        """Save after the iteration that just ended, even within an epoch.

        Args:
            runner (Runner): The runner, within ``after_train_iter``.

        Returns:
            bool: Whether it could be written.
        """
        meta = dict(epoch=runner.epoch, iter=runner.iter + 1)
        if not self.by_epoch or not self.is_local:
            step = meta['epoch' if self.by_epoch else 'iter']
            return self._save_checkpoint_with_step(runner, step, meta)
        path = self.folder / self.filename_tmpl.format(runner.epoch)
        name = f'{path.stem}_iter_{meta["iter"]}{path.suffix}'
        interim = runner.message_hub.runtime_info.get('interim_ckpts', [])
        news = dict(interim_ckpts=[*interim, name])
        return self._write_last(runner, name, news, meta, by_epoch=False)

    def _save_checkpoint_with_step(
        self, runner: Runner, step: int, meta: dict
    ) -> bool:
        """Write a regular checkpoint, then delete what it makes obsolete."""
        if not self.is_local:
            super()._save_checkpoint_with_step(runner, step, meta)
            return True
        name = self.filename_tmpl.format(step)
        ids, news = [], {}
        if self.max_keep_ckpts > 0:
            ids = [i for i in self.keep_ckpt_ids if i != step] + [step]
            # Saved with it, for a resumed run to delete the old ones.
            news = dict(keep_ckpt_ids=ids)
        if not self._write_last(
            runner, name, news, meta=meta, by_epoch=self.by_epoch
        ):
            return False
        for old in ids[: -self.max_keep_ckpts]:
            self._delete(self.filename_tmpl.format(old))
        if self.max_keep_ckpts > 0:
            self.keep_ckpt_ids.clear()
            self.keep_ckpt_ids.extend(ids)
        return True

    def _write_last(
        self, runner: Runner, name: str, news: dict, meta: dict, by_epoch: bool
    ) -> bool:
        """Write a checkpoint from which the run can go on."""
        path = str(self.folder / name)
        written = self._write(
            runner,
            name,
            dict(news, last_ckpt=path),
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=by_epoch,
            **self.args,
        )
        if written:
            self.last_ckpt = path
            self.last_iter, self.failure = meta['iter'], ''
            interim = runner.message_hub.runtime_info.get('interim_ckpts', [])
            for old in [old for old in interim if old != name]:
                self._delete(old)
                interim.remove(old)
        return written

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """Keep the best checkpoint of each metric in ``save_best``."""
        if not self.save_best or not self.is_local:
            super()._save_best_checkpoint(runner, metrics)
            return
        if 'auto' in self.key_indicators:
            self._init_rule(self.rules, [next(iter(metrics))])
        info = runner.message_hub.runtime_info
        before = checkpoints.best_names(info)
        written = [
            self._write_best(runner, metric, metrics[metric])
            for metric in self.key_indicators
        ]
        # The old best may go only when the last names the new one.
        if any(written) and self._update_last(runner):
            for name in before - checkpoints.best_names(info):
                self._delete(name)

    def _update_last(self, runner: Runner) -> bool:
        """Write the last checkpoint again after a validation."""
        if self.last_ckpt is None:
            return True
        meta = dict(epoch=runner.epoch, iter=runner.iter)
        step = runner.epoch if self.by_epoch else runner.iter
        return self._save_checkpoint_with_step(runner, step, meta)

    def _write_best(
        self, runner: Runner, metric: str, score: float | None
    ) -> bool:
        """Write the best of a metric, if it is; return whether it was."""
        one = len(self.key_indicators) == 1
        key = '' if one else f'_{metric}'
        rule = self.rules[self.key_indicators.index(metric)]
        info = runner.message_hub.runtime_info
        best = info.get(f'best_score{key}', self.init_value_map[rule])
        if score is None or not self.is_better_than[metric](score, best):
            return False
        step = runner.epoch if self.by_epoch else runner.iter
        name = self.filename_tmpl.format(step)
        name = f'best_{metric}_{name}'.replace('/', '_')
        path = str(self.folder / name)
        if not self._write(
            runner,
            name,
            {f'best_score{key}': score, f'best_ckpt{key}': path},
            save_optimizer=False,
            save_param_scheduler=False,
            meta=dict(epoch=runner.epoch, iter=runner.iter),
            by_epoch=False,
        ):
            return False
        # What MMEngine's ``after_train`` publishes.
        if one:
            self.best_ckpt_path = path
        else:
            self.best_ckpt_path_dict[metric] = path
        runner.logger.info(f'Best {metric}, {score:0.4f}: saved to {name}.')
        return True

    def _write(
        self, runner: Runner, name: str, news: dict, meta: dict, **more: object
    ) -> bool:
        """Write a file atomically; return in all processes if it worked."""
        hub, path = runner.message_hub, self.folder / name
        self.place = dict(meta)
        before = dict(hub.runtime_info)
        hub.update_info_dict(news)
        failure: list[str | None] = [None]
        try:
            # MMEngine saves in the main process only, which would wait for
            # the others where a state is spread over all, as ZeRO's is.
            if more['save_optimizer'] and not is_main_process():
                runner.optim_wrapper.state_dict()
            runner.save_checkpoint(
                str(self.folder),
                checkpoints.part_of(path).name,
                backend_args=self.backend_args,
                meta=meta,
                **more,
            )
            if is_main_process():
                checkpoints.put_in_place(checkpoints.part_of(path), path)
                if 'last_ckpt' in news:
                    checkpoints.point_to(path, Path(runner.work_dir))
        except OSError as error:
            checkpoints.part_of(path).unlink(missing_ok=True)
            failure = [str(error)]
        finally:
            self.place = {}
        broadcast_object_list(failure)
        if failure[0] is None:
            return True
        hub.runtime_info.clear()
        hub.runtime_info.update(before)
        self.failure = (
            f'{path} could not be written: {failure[0]}; the last whole '
            f'checkpoint is {self.last_ckpt}'
        )
        if self.on_failure == 'stop':
            raise OSError(self.failure)
        runner.logger.error(f'{self.failure}; training goes on.')
        return False

    def _delete(self, name: str) -> None:
        """Delete a file of this run, which lies in its own folder."""
        if is_main_process():
            (self.folder / name).unlink(missing_ok=True)
