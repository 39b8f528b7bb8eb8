"""Tell the program around a Runner how far it is."""

from collections.abc import Callable
from dataclasses import dataclass

from mmengine.hooks import Hook
from mmengine.runner import Runner

from .epoch_summary import mean_loss


@dataclass(frozen=True)
class EpochReport:
    """An epoch that has been trained and validated.

    Args:
        epoch (int): Its number, from one.
        max_epochs (int): How many there will be.
        loss (float): Its mean training loss.
        metrics (dict[str, float]): The validation metrics after it.
    """

    epoch: int
    max_epochs: int
    loss: float
    metrics: dict[str, float]


class ReportHook(Hook):
    """Call back after each iteration and after each validation.

    It takes functions, so that it is registered with a Runner and not named
    in a config.

    Args:
        on_iter (Callable): Called after each training iteration.
        on_epoch (Callable): Called with an :class:`EpochReport`.

    Example:
        >>> hook = ReportHook(lambda: None, print)
    """

    def __init__(
        self,
        on_iter: Callable[[], None],
        on_epoch: Callable[[EpochReport], None],
    ) -> None:
        self.on_iter = on_iter
        self.on_epoch = on_epoch

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: dict | None = None,
    ) -> None:
        """Report an iteration."""
        self.on_iter()

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Report an epoch."""
        report = EpochReport(
            runner.epoch,
            runner.max_epochs,
            mean_loss(runner),
            metrics or {},
        )
        self.on_epoch(report)
