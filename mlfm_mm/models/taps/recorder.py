"""What is recorded of each call in a dry run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from torch import Tensor, nn
from torch.autograd.graph import Node

from .flow import Flow, tensors_in
from .layout import FIRST, layout_of


@dataclass(eq=False)
class Call:
    """One call of a module during the dry run.

    Args:
        name (str): Name of the module inside the backbone.
        module (nn.Module): The module of the copy that ran.
        index (int): How many calls began before it.
        takes_image (bool): Whether its first input is the image itself.
        shape (tuple[int, ...]): Shape of the output when it is a tensor,
            else empty.
        larger (tuple[int, ...]): Its shape for an image twice as high and
            three times as wide; empty where that failed.
        tokens (bool): Whether the output is, or begins with, a sequence of
            shape (N, L, C).
        idle (bool): Whether it returns its first input unchanged.
        node (Node, optional): In the autograd graph, the node of its first
            input while it runs, then of its output, until the run ends.
        children (list[Call]): The calls made during this one.
    """

    name: str
    module: nn.Module
    index: int
    takes_image: bool = False
    shape: tuple[int, ...] = ()
    larger: tuple[int, ...] = ()
    tokens: bool = False
    idle: bool = False
    node: Node | None = None
    children: list[Call] = field(default_factory=list)

    @property
    def layout(self) -> str:
        """str: See :func:`layout_of`; empty for what is no map."""
        return layout_of(self.shape, self.larger)

    @property
    def is_map(self) -> bool:
        """bool: Whether the output is one map, in either layout."""
        return self.layout != ''

    @property
    def map_shape(self) -> tuple[int, ...]:
        """tuple[int, ...]: Shape of a map as (N, C, H, W)."""
        layout = self.layout
        return tuple(self.shape[layout.index(a)] for a in FIRST if layout)

    def walk(self) -> Iterator[Call]:
        """Yield this call and all calls inside it, in the order they began."""
        yield self
        for child in self.children:
            yield from child.walk()


class Recorder:
    """Records the calls inside a module.

    Args:
        probe (nn.Module): The module, which keeps the recorder's hooks.
        image (Tensor): What it is going to be called with.
    """

    def __init__(self, probe: nn.Module, image: Tensor) -> None:
        self.image = image
        self.root = Call('', probe, 0)
        self.calls = [self.root]
        self.open = [self.root]
        for name, module in probe.named_modules():
            if module is not probe:
                module.register_forward_pre_hook(partial(self.enter, name))
                # Before the backbone's own hooks, as units are: timm, for
                # one, collects the maps that it returns by hooks.
                module.register_forward_hook(self.leave, prepend=True)

    def enter(self, name: str, module: nn.Module, inputs: tuple) -> None:
        """Record that a call begins."""
        call = Call(name, module, len(self.calls))
        if inputs and isinstance(inputs[0], Tensor):
            call.takes_image = inputs[0] is self.image
            call.node = inputs[0].grad_fn
        self.calls.append(call)
        self.open[-1].children.append(call)
        self.open.append(call)

    def leave(
        self, module: nn.Module, inputs: tuple, output: object
    ) -> object:
        """Record what a call returned, and replace it by a clone.

        The clone has a node of its own in the autograd graph, unlike the
        output of the last module inside, a tensor that the module caches, or
        one that it modified in-place.
        """
        call = self.open.pop()
        before, call.node = call.node, None
        if isinstance(output, Tensor):
            call.shape = tuple(output.shape)
            call.idle = output.grad_fn is not None and output.grad_fn is before
            output = output if call.idle else output.clone()
            call.node = output.grad_fn
        first = output[0] if isinstance(output, (tuple, list)) else output
        call.tokens = isinstance(first, Tensor) and first.dim() == 3
        return output

    def flow(self, output: object) -> Flow:
        """Read the graph, and release it."""
        assert self.image.grad_fn is not None
        nodes = [call.node for call in self.calls]
        for call in self.calls:
            call.node = None
        return Flow(self.image.grad_fn, nodes, tensors_in(output))
