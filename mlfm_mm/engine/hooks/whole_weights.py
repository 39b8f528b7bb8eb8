"""Refuse a checkpoint of another network before it is used."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.optim import Optimizer

from ...registry import HOOKS
from ..errors import UsageError
from ..models import optim_wrappers
from ..weights import load_whole

# What tells one kind of optimizer from others.
OF_A_KIND = {
    *('momentum', 'dampening', 'betas', 'alpha', 'rho'),
    *('lr_decay', 'momentum_decay', 'eta', 'bias_correction'),
}
# Training has no --allow-partial.
REMEDY = 'begin a run with load_from=... and without resuming'


@HOOKS.register_module()
class WholeWeightsHook(Hook):
    """Refuse weights that are missing, left over, or of another shape.

    MMEngine loads what fits, lists the rest in the log, and goes on: a test
    then measures a network that is random in part.

    Args:
        allow_partial (bool): Whether to warn only. Defaults to False.
        only_resume (bool): Whether to check only what a run resumes from,
            and not the weights that it starts from. Defaults to False.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.WholeWeightsHook')]
    """

    # After MMEngine's hooks, which may swap in averaged weights.
    priority = 'LOWEST'

    def __init__(
        self, allow_partial: bool = False, only_resume: bool = False
    ) -> None:
        self.allow_partial = allow_partial
        self.only_resume = only_resume

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare, before the Runner loads them.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What the Runner has read.

        Raises:
            UsageError: If the weights are those of another network.
        """
        # MMEngine would execute this text of an old checkpoint.
        checkpoint.get('meta', {}).pop('config', None)
        if self.only_resume and not runner._resume:
            return
        name = runner.cfg.filename or runner.experiment_name
        if not runner._resume:
            load_whole(runner.model, checkpoint, name, self.allow_partial)
            return
        load_whole(runner.model, checkpoint, name, self.allow_partial, REMEDY)
        check_optimizer(runner, checkpoint)


def check_optimizer(runner: Runner, checkpoint: dict) -> None:
    """Refuse the state of another kind of optimizer.

    PyTorch fails with the name of what it misses, at loading or at the first
    step.

    Args:
        runner (Runner): The runner.
        checkpoint (dict): What it resumes from.

    Raises:
        UsageError: It lacks what this one goes by.
    """
    saved = checkpoint.get('optimizer') or {}
    wrappers = optim_wrappers(runner)
    optimizer = getattr(wrappers[0], 'optimizer', None)
    if (
        'param_groups' not in saved
        or len(wrappers) != 1
        or not isinstance(optimizer, Optimizer)  # not built for a test
    ):
        return
    # PyTorch adds the others where an older version has not saved them.
    needed = set(optimizer.defaults) & OF_A_KIND
    missing = needed - set(saved['param_groups'][0])
    if missing:
        raise UsageError(
            f'the optimizer {type(optimizer).__name__} cannot go on from '
            f'this checkpoint, which is of another kind of optimizer (it '
            f'lacks {", ".join(sorted(missing))}): give the optimizer that '
            f'it was trained with, or {REMEDY}'
        )
