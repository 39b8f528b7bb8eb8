"""What each memory unit holds while a network looks at a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from ..engine import UsageError
from ..models import LFMU, MLFMNeck
from .complexity import memory_of
from .tables import Column, Table

# What a unit holds, in the order of computation.
PARTS = (
    'image_band',
    'memory_in',
    'input_gate',
    'supplement_gate',
    'memory_out',
    'trunk_before',
    'trunk_after',
)


@dataclass
class UnitView:
    """What one unit held for one picture.

    Args:
        tap (str): The module of the backbone behind which it sits.
        stride (int): Pixels of the picture per pixel of the maps.
        level (int): How often the image band was low-passed.
        maps (dict[str, Tensor]): Maps (C, H, W) by the names of
            :data:`PARTS`, without those that the unit does not have. The
            memory is not rescaled: each low-pass doubles it.
    """

    tap: str
    stride: int
    level: int
    maps: dict[str, Tensor] = field(default_factory=dict)

    def rms(self, part: str) -> float | None:
        """Compute the root mean square of a part; None without the part."""
        found = self.maps.get(part)
        return None if found is None else float(found.square().mean().sqrt())

    def row(self) -> dict[str, str | float | int | None]:
        """Summarize it as the row of a table.

        Returns:
            dict: Tap, stride, size, the root mean square of each part, and
            ``share``, that of the gates in the power of gates and trunk.
        """
        before, low = self.maps['trunk_before'], self.low()
        power, trunk = low.square().mean(), before.square().mean()
        height, width = before.shape[1:]
        return dict(
            tap=self.tap,
            stride=self.stride,
            channels=len(before),
            height=height,
            width=width,
            **{part: self.rms(part) for part in PARTS},
            share=float(power / (power + trunk)),
        )

    def low(self) -> Tensor:
        """Sum the outputs of the gates."""
        low = self.maps['input_gate']
        if 'supplement_gate' in self.maps:
            low = low + self.maps['supplement_gate']
        return low


def find_neck(model: nn.Module) -> MLFMNeck:
    """Find the neck that carries the memory.

    Args:
        model (nn.Module): The network.

    Returns:
        MLFMNeck: The first.

    Raises:
        UsageError: There is none.

    Example:
        >>> find_neck(nn.Linear(1, 1))
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: this Linear has no MLFMNeck: give a
        network with memory
    """
    neck = memory_of(model)
    if neck is None:
        raise UsageError(
            f'this {type(model).__name__} has no MLFMNeck: give a network '
            'with memory'
        )
    return neck


def view_memory(model: BaseModel, x: Tensor) -> list[UnitView]:
    """Run a network on a picture and keep what its units hold.

    Args:
        model (BaseModel): The network with an :class:`MLFMNeck`; it runs in
            evaluation mode, and gets its own mode back.
        x (Tensor): The network's input, (1, C, H, W).

    Returns:
        list[UnitView]: One for each unit.

    Raises:
        UsageError: The network has no memory.
    """
    find_neck(model)
    found = []
    with torch.no_grad(), in_evaluation(model), ExitStack() as stack:
        for neck in (m for m in model.modules() if isinstance(m, MLFMNeck)):
            views = [
                UnitView(tap.module, tap.reduction, tap.level)
                for tap in neck.taps
            ]
            for view, unit in zip(views, neck.units, strict=True):
                stack.enter_context(_recorded(view, unit))
            found.append(views)
        model.extract_feat(x)
    # Of a student and its teacher, one has looked.
    return next(views for views in found if views[0].maps)


def tabulate(views: Sequence[UnitView], title: str) -> Table:
    """Tabulate the units' numbers.

    Args:
        views (Sequence[UnitView]): From :func:`view_memory`.
        title (str): Network and picture, for the caption.

    Returns:
        Table: A row for each unit.
    """
    short = '{:.3g}'.format
    columns = [
        Column('tap', 'tap'),
        Column('stride', 'stride'),
        Column('channels', 'channels'),
        Column('height', 'height'),
        Column('width', 'width'),
        *(Column(p, p.replace('_', ' '), short, absent='') for p in PARTS),
        Column('share', 'gates', '{:.1%}'.format),
    ]
    caption = (
        f'{title}. Root mean squares of what each unit holds; gates: the '
        'share of what the gates give in the power of gates and trunk. The '
        'memory doubles with each low-pass.'
    )
    return Table(columns, [view.row() for view in views], caption)


@contextmanager
def _recorded(view: UnitView, unit: LFMU) -> Iterator[None]:
    """Record what a unit reads and writes, by hooks."""

    def before(unit: LFMU, inputs: tuple) -> None:
        x, memory, image = inputs
        maps = view.maps
        if image is not None:
            maps['image_band'] = _first(image)
        maps['memory_in'] = _first(memory)
        # Called here, because fused kernels do not call the gates.
        maps['input_gate'] = _first(unit.input_gate(memory))
        if unit.supplement_gate is not None:
            maps['supplement_gate'] = _first(unit.supplement_gate(image))
        maps['trunk_before'] = _first(x)

    def after(unit: LFMU, inputs: tuple, outputs: tuple) -> None:
        x, memory = outputs
        view.maps['memory_out'] = _first(memory)
        view.maps['trunk_after'] = _first(x)

    with (
        unit.register_forward_pre_hook(before),
        unit.register_forward_hook(after),
    ):
        yield


def _first(x: Tensor) -> Tensor:
    """Copy the first picture's maps: others may change them in place."""
    return x[0].detach().float().cpu().clone()


@contextmanager
def in_evaluation(model: nn.Module) -> Iterator[None]:
    """Run in evaluation mode; then restore the mode of each module.

    Example:
        >>> model = nn.Sequential(nn.BatchNorm2d(1).eval(), nn.ReLU())
        >>> with in_evaluation(model):
        ...     model.training, model[1].training
        (False, False)
        >>> [module.training for module in model.modules()]
        [True, False, True]
    """
    modes = {module: module.training for module in model.modules()}
    model.train(False)
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
