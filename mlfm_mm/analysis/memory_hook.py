"""Draw the memory in the course of training."""

from __future__ import annotations

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner

from ..registry import HOOKS


@HOOKS.register_module()
class MemoryViewHook(Hook):
    """Draw what the memory units hold, every few epochs.

    The picture goes to the Runner's visualizer, and from there to each of
    its backends: a file, TensorBoard, Weights & Biases. The network sees the
    same picture of the validation set each time, in evaluation mode and
    without gradients; training is not affected.

    Args:
        interval (int): Epochs or iterations between two drawings. Defaults
            to 1.
        by_epoch (bool): Whether ``interval`` counts epochs. Defaults to
            True.
        index (int): Which picture of the validation set. Defaults to 0.

    Raises:
        ValueError: ``interval`` is below 1, or there is no validation set.

    Example:
        >>> custom_hooks = [dict(type='mlfm_mm.MemoryViewHook', interval=5)]
        >>> vis_backends = [
        ...     dict(type='LocalVisBackend'),
        ...     dict(type='TensorboardVisBackend'),
        ... ]
    """

    priority = 'LOW'

    def __init__(
        self, interval: int = 1, by_epoch: bool = True, index: int = 0
    ) -> None:
        if interval < 1:
            raise ValueError(
                f'MemoryViewHook: interval={interval} must be 1 or more'
            )
        self.interval = interval
        self.by_epoch = by_epoch
        self.index = index

    def before_train(self, runner: Runner) -> None:
        """Fail now where the first drawing would fail, epochs later."""
        from .memory_view import find_neck

        find_neck(runner.model)
        if runner.val_loop is None:
            raise ValueError(
                'MemoryViewHook looks at a picture of the validation set, and '
                'the config has no val_dataloader: add one, or remove the hook'
            )

    def after_train_epoch(self, runner: Runner) -> None:
        """Draw, if it is time."""
        if self.by_epoch and self.every_n_epochs(runner, self.interval):
            self._draw(runner, runner.epoch + 1)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, *args: object, **more: object
    ) -> None:
        """Draw, if it is time."""
        due = self.every_n_train_iters(runner, self.interval)
        if due and not self.by_epoch:
            self._draw(runner, runner.iter + 1)

    @master_only
    def _draw(self, runner: Runner, step: int) -> None:
        # Imported here: runs without this hook draw nothing.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from mmengine.visualization.utils import img_from_canvas

        from ..engine.models import unwrapped
        from ..engine.normalization import normalization_of
        from .memory_figure import draw_memory
        from .memory_view import view_memory

        model: BaseModel = unwrapped(runner.model)
        loader = runner.val_loop.dataloader
        batch = loader.collate_fn([loader.dataset[self.index]])
        x = model.data_preprocessor(batch, False)['inputs']
        normalization = normalization_of(model.data_preprocessor)
        figure = draw_memory(
            view_memory(model, x),
            normalization.picture(x[0]),
            normalization,
            f'memory after {"epoch" if self.by_epoch else "iteration"} {step}',
        )
        pixels = img_from_canvas(FigureCanvasAgg(figure))
        runner.visualizer.add_image('memory', pixels, step)
