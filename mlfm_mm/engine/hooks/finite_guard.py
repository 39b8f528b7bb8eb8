"""Numbers that are not finite never reach the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from mmengine.device import get_device
from mmengine.dist import all_gather_object, all_reduce
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.optim import Optimizer

from ...registry import HOOKS

POLICIES = ('stop', 'skip', 'roll_back')
# Of the images of a batch, as many are named.
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

    The step is not taken, whatever follows, and what follows is told with
    the iteration, the learning rate and the images. Nor is a checkpoint
    written, last or best, whose weights are not finite. With mixed precision
    in float16, gradients that overflow are left to the loss scaler.

    Args:
        policy (str): ``'stop'`` ends the training by an error. ``'skip'``
            leaves out the batch, also of running statistics.
            ``'roll_back'`` takes weights, averages and optimizer from the
            last checkpoint; data and learning rate go on from here, so that
            the batches in between are left out. Defaults to ``'stop'``.
        patience (int): So many bad batches in a row stop the training in
            any case. Defaults to 10.

    Raises:
        ValueError: If the policy is not known.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.FiniteGuardHook')]
    """

    # Before averages, logs and checkpoints take note of the batch.
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
        self.bad_gradient = False
        self.kept: list[Tensor] = []

    # ---- What is watched ---------------------------------------------------

    def before_train(self, runner: Runner) -> None:
        """Watch the optimizers.

        Args:
            runner (Runner): The runner.

        Raises:
            NonFiniteError: If the weights are no numbers from the start.
        """
        model = _inner(runner.model)
        self._refuse(dict(model.named_parameters()), 'The network begins')
        # Some are infinite for a reason, such as masks.
        self.exempt = set(_not_finite(model.state_dict()))
        wrapper = runner.optim_wrapper
        wrappers = (
            wrapper.values() if hasattr(wrapper, 'values') else [wrapper]
        )
        self.handles = [
            w.optimizer.register_step_pre_hook(self._before_step)
            for w in wrappers
        ]

    def after_train(self, runner: Runner) -> None:
        """Leave the optimizers alone."""
        for handle in self.handles:
            handle.remove()

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None
    ) -> None:
        """Remember what the forward pass itself changes."""
        if self.policy == 'skip':
            self.kept = [b.clone() for b in _inner(runner.model).buffers()]

    def _before_step(
        self, optimizer: Optimizer, args: tuple, kwargs: dict
    ) -> None:
        """Take bad gradients away, so that the step changes nothing."""
        parameters = [p for g in optimizer.param_groups for p in g['params']]
        gradients = [p.grad for p in parameters if p.grad is not None]
        if gradients and not _all_finite(gradients):
            self.bad_gradient = True
            for parameter in parameters:
                parameter.grad = None

    # ---- What follows ------------------------------------------------------

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: dict | None = None,
    ) -> None:
        """Look at the loss, and at what the optimizer found."""
        loss = {
            key: value.detach()
            for key, value in (outputs or {}).items()
            if 'loss' in key and torch.is_tensor(value)
        }
        bad_loss = not _all_finite(loss.values())
        bad = torch.tensor(float(bad_loss or self.bad_gradient))
        bad = bad.to(get_device())
        all_reduce(bad, 'max')
        if not bad:
            self.in_a_row = 0
            return
        found = self._describe(runner, data_batch, loss, bad_loss)
        self.bad_gradient = False
        self.in_a_row += 1
        if self.policy == 'stop' or self.in_a_row >= self.patience:
            raise NonFiniteError(f'{found}: training stops; {REMEDY}')
        if self.policy == 'skip':
            for buffer, value in zip(
                _inner(runner.model).buffers(), self.kept, strict=True
            ):
                buffer.copy_(value)
            runner.logger.warning(f'{found}: the batch is left out')
        else:
            path = self._roll_back(runner, found)
            runner.logger.warning(f'{found}: weights are those of {path}')

    def _describe(
        self, runner: Runner, batch: object, loss: dict, bad_loss: bool
    ) -> str:
        """Say what was found where, in all processes."""
        loss = {key: float(value.mean()) for key, value in loss.items()}
        mine = (loss if bad_loss else None, _names(batch))
        everybody: list = all_gather_object(mine)
        guilty = [found for found in everybody if found[0]] or everybody
        what = ', '.join(f'{k} {v}' for k, v in (guilty[0][0] or loss).items())
        names = [name for _, images in guilty for name in images]
        more = f' and {len(names) - NAMED} more' if names[NAMED:] else ''
        rates = [x for v in runner.optim_wrapper.get_lr().values() for x in v]
        return (
            f'{"Loss" if guilty[0][0] else "Gradient"} not finite in '
            f'iteration {runner.iter + 1} ({what or "no loss"}; learning rate '
            f'{rates[0] if rates else 0:.3g}; images '
            f'{", ".join(names[:NAMED]) or "without names"}{more})'
        )

    def _roll_back(self, runner: Runner, found: str) -> Path:
        """Take what was trained from the last checkpoint."""
        path = Path(runner.message_hub.runtime_info.get('last_ckpt') or '')
        if not path.is_file():
            raise NonFiniteError(
                f'{found}: there is no checkpoint yet to roll back to; '
                f'{REMEDY}'
            )
        wrapper, resume = runner.optim_wrapper, runner._resume
        # Averages of weights are read by hooks on resuming only.
        runner._resume = True
        checkpoint = runner.load_checkpoint(str(path), get_device())
        runner._resume = resume
        now = [
            {k: v for k, v in group.items() if k != 'params'}
            for group in wrapper.param_groups
        ]
        wrapper.load_state_dict(checkpoint['optimizer'])
        for group, values in zip(wrapper.param_groups, now, strict=True):
            group.update(values)
        return path

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Refuse to write weights that are not finite."""
        for part in ('state_dict', 'ema_state_dict'):
            state = checkpoint.get(part, {})
            self._refuse(
                {
                    name: value
                    for name, value in state.items()
                    if name.removeprefix('module.') not in self.exempt
                },
                f'No checkpoint is written in iteration {runner.iter + 1}',
            )

    @staticmethod
    def _refuse(state: dict[str, Tensor], what: str) -> None:
        """Raise an error if a tensor is not finite, naming the first."""
        for name in _not_finite(state):
            raise NonFiniteError(f'{what}: {name} is not finite; {REMEDY}')


def _inner(model: nn.Module) -> nn.Module:
    """Take off the wrapper of several processes."""
    return model.get_submodule('module') if is_model_wrapper(model) else model


def _not_finite(state: dict[str, Tensor]) -> Iterator[str]:
    """Name the tensors that hold an infinity or no number."""
    for name, value in state.items():
        if torch.is_tensor(value) and not value.isfinite().all():
            yield name


def _all_finite(tensors: Iterable[Tensor]) -> bool:
    """Tell whether all numbers are finite, by one question to the device."""
    # The largest, since a sum of squares may overflow where none does.
    norms = [torch.linalg.vector_norm(t, math.inf) for t in tensors]
    devices = {norm.device for norm in norms}
    return all(
        bool(torch.stack([n for n in norms if n.device == d]).isfinite().all())
        for d in devices
    )


def _names(batch: object) -> list[str]:
    """Find the names of a batch's images."""
    if not isinstance(batch, dict):
        return []
    paths = batch.get('img_path') or [
        getattr(sample, 'img_path', None)
        for sample in batch.get('data_samples') or []
    ]
    return [str(path) for path in paths if path]
