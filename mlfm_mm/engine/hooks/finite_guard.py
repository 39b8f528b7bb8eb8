"""Keep numbers that are not finite out of the weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from mmengine.device import get_device
from mmengine.dist import all_gather_object, all_reduce
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.optim import Optimizer

from ...datasets.images import shorten
from ...registry import HOOKS
from ..checkpoints import read
from ..distributed import highest
from ..finite import all_finite, not_finite
from ..history import forget_not_finite
from ..models import optim_wrappers, unwrapped

POLICIES = ('stop', 'skip', 'roll_back')
# How many images of a batch a message names.
NAMED = 8
REMEDY = (
    'look at the images, lower the learning rate, or clip the gradients '
    "(optim_wrapper.clip_grad=dict(max_norm=1)); policy='skip' or "
    "'roll_back' of FiniteGuardHook trains on"
)


class NonFiniteError(ArithmeticError):
    """A loss, a gradient or a weight is infinite or not a number."""


@HOOKS.register_module()
class FiniteGuardHook(Hook):
    """Stop, skip or roll back at a loss or gradient that is not finite.

    The optimizer step is skipped under any policy, and the message names the
    iteration, the learning rate and the images. Where gradients are
    accumulated, those of the batches before it are lost, too. No checkpoint,
    last or best, is written with weights that are not finite. With mixed
    precision in float16, gradients that overflow are left to the loss scaler.

    Args:
        policy (str): ``'stop'`` ends the training by an error. ``'skip'``
            leaves out the batch, also from running statistics.
            ``'roll_back'`` restores weights, their averages and the optimizer
            from the last checkpoint; data and learning rate go on from the
            current iteration, so that the batches in between are left out.
            Defaults to ``'stop'``.
        patience (int): How many bad batches in a row stop the training under
            any policy. Defaults to 10.

    Raises:
        ValueError: If the policy is not known.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.FiniteGuardHook')]
    """

    # Before the hooks for averages, logs and checkpoints see the batch.
    priority = 'VERY_HIGH'

    def __init__(self, policy: str = 'stop', patience: int = 10) -> None:
        if policy not in POLICIES:
            raise ValueError(
                f'policy={policy!r} is not known: it must be one of '
                f'{", ".join(map(repr, POLICIES))}'
            )
        self.policy = policy
        self.patience = patience
        self.in_a_row = 0
        self.is_dropped = False
        self.bad_losses: list[Tensor] = []
        self.kept: list[Tensor] = []

    # ---- What is watched ---------------------------------------------------

    def before_train(self, runner: Runner) -> None:
        """Watch the optimizers.

        Args:
            runner (Runner): The runner.

        Raises:
            NonFiniteError: If the weights are not finite from the start.
        """
        model = unwrapped(runner.model)
        self._refuse(dict(model.named_parameters()), 'The network begins')
        # Some buffers are infinite on purpose, such as masks.
        self.exempt = set(not_finite(model.state_dict()))
        self.is_sharded = isinstance(runner.model, FullyShardedDataParallel)
        self.handles = []
        for wrapper in optim_wrappers(runner):
            before_step = wrapper.optimizer.register_step_pre_hook
            self.handles.append(before_step(self._before_step))
            if isinstance(wrapper, OptimWrapper):  # DeepSpeed's is not
                # Gradients may be finite where the loss is not.
                scale = partial(self._scale_loss, wrapper.scale_loss)
                wrapper.scale_loss = scale

    def after_train(self, runner: Runner) -> None:
        """Remove the hooks from the optimizers."""
        for handle in self.handles:
            handle.remove()
        for wrapper in optim_wrappers(runner):
            vars(wrapper).pop('scale_loss', None)

    def _scale_loss(
        self, scale: Callable, loss: Tensor, *args: object
    ) -> Tensor:
        """Note whether the loss is bad in any process.

        All of them come here, but not all need make a step.
        """
        bad = (~loss.detach().isfinite()).any().float()
        all_reduce(bad, 'max')
        self.bad_losses.append(bad)
        return scale(loss, *args)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None
    ) -> None:
        """Keep a copy of the buffers, which the forward pass changes."""
        self.is_dropped = False
        self.bad_losses.clear()
        if self.policy == 'skip':
            self.kept = [b.clone() for b in unwrapped(runner.model).buffers()]

    def _before_step(
        self, optimizer: Optimizer, args: tuple, kwargs: dict
    ) -> None:
        """Drop bad gradients, so that the step changes nothing."""
        if getattr(optimizer, 'found_inf', None) is not None:
            return  # a fused one, to which the loss scaler left the check
        is_bad = any(map(bool, self.bad_losses))
        is_bad = is_bad or not all_finite(_gradients(optimizer))
        # Elsewhere all processes have the same gradients.
        if highest(is_bad) if self.is_sharded else is_bad:
            self.is_dropped = True
            _drop_gradients(optimizer)

    # ---- What follows ------------------------------------------------------

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: dict | None = None,
    ) -> None:
        """Check the loss and the gradients, and follow the policy."""
        loss = {
            key: value.detach()
            for key, value in (outputs or {}).items()
            if 'loss' in key and torch.is_tensor(value)
        }
        bad_loss = not all_finite(loss.values())
        waiting = [
            gradient
            for wrapper in optim_wrappers(runner)
            if isinstance(wrapper, OptimWrapper)
            and not wrapper.should_update()
            and not hasattr(wrapper, 'loss_scaler')
            for gradient in _gradients(wrapper.optimizer)
        ]
        bad = bad_loss or self.is_dropped or not all_finite(waiting)
        if not highest(bad):  # in any process
            self.in_a_row = 0
            return
        for wrapper in optim_wrappers(runner):
            _drop_gradients(wrapper.optimizer)
        found = self._describe(runner, data_batch, loss, bad_loss)
        self.in_a_row += 1
        if self.policy == 'stop' or self.in_a_row >= self.patience:
            raise NonFiniteError(f'{found}: training stops; {REMEDY}')
        forget_not_finite(runner.message_hub)
        if self.policy == 'skip':
            for buffer, value in zip(
                unwrapped(runner.model).buffers(), self.kept, strict=True
            ):
                buffer.copy_(value)
            runner.logger.warning(f'{found}: the batch is left out')
        else:
            path = self._roll_back(runner, found)
            runner.logger.warning(f'{found}: weights are those of {path}')

    def _describe(
        self, runner: Runner, batch: object, loss: dict, bad_loss: bool
    ) -> str:
        """Say what is not finite, and for which images, in all processes."""
        loss = {key: float(value.mean()) for key, value in loss.items()}
        mine = (loss if bad_loss else None, _names(batch))
        everybody: list = all_gather_object(mine)
        guilty = [found for found in everybody if found[0]] or everybody
        bad = guilty[0][0]
        what = ', '.join(f'{k} {v}' for k, v in (bad or loss).items())
        names = [name for _, images in guilty for name in images]
        rates = [x for v in runner.optim_wrapper.get_lr().values() for x in v]
        return (
            f'{"Loss" if bad else "Gradient"} not finite in '
            f'iteration {runner.iter + 1} ({what or "no loss"}; learning rate '
            f'{rates[0] if rates else 0:.3g}; images '
            f'{shorten(names, NAMED) or "without names"})'
        )

    def _roll_back(self, runner: Runner, found: str) -> Path:
        """Restore weights and optimizer from the last checkpoint."""
        path = Path(runner.message_hub.runtime_info.get('last_ckpt') or '')
        if not path.is_file():
            raise NonFiniteError(
                f'{found}: there is no checkpoint yet to roll back to; '
                f'{REMEDY}'
            )
        optimizer = read(path).get('optimizer')
        if optimizer is None:
            raise NonFiniteError(
                f'{found}: {path} lacks the optimizer to roll back to: set '
                "save_optimizer=True, or take policy='skip'"
            )
        # Hooks restore averaged weights only when resuming.
        resume, runner._resume = runner._resume, True
        runner.load_checkpoint(str(path), get_device())
        runner._resume = resume
        now = [
            {k: v for k, v in group.items() if k != 'params'}
            for group in _groups(runner)
        ]
        runner.optim_wrapper.load_state_dict(optimizer)
        for group, values in zip(_groups(runner), now, strict=True):
            group.update(values)
        return path

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Refuse to write weights that are not finite."""
        state = checkpoint['state_dict']
        self._refuse(
            {k: v for k, v in state.items() if k not in self.exempt},
            f'No checkpoint is written in iteration {runner.iter + 1}',
        )

    @staticmethod
    def _refuse(state: dict[str, Tensor], what: str) -> None:
        """Raise an error if a tensor is not finite, naming the first."""
        for name in not_finite(state):
            raise NonFiniteError(f'{what}: {name} is not finite; {REMEDY}')


def _groups(runner: Runner) -> list[dict]:
    """List the parameter groups of all optimizers."""
    return [g for w in optim_wrappers(runner) for g in w.param_groups]


def _gradients(optimizer: Optimizer) -> list[Tensor]:
    """List the gradients that an optimizer's parameters have."""
    parameters = (p for g in optimizer.param_groups for p in g['params'])
    return [p.grad for p in parameters if p.grad is not None]


def _drop_gradients(optimizer: Optimizer) -> None:
    """Leave an optimizer nothing to step along."""
    for group in optimizer.param_groups:
        for parameter in group['params']:
            parameter.grad = None


def _names(batch: object) -> list[str]:
    """Find the names of a batch's images."""
    if not isinstance(batch, dict):
        return []
    paths = batch.get('img_path') or [
        getattr(sample, 'img_path', None)
        for sample in batch.get('data_samples') or []
    ]
    return [str(path) for path in paths if path]
