"""Which call feeds which: the calls of a dry run in its autograd graph.

Nothing is differentiated here. Autograd's graph is read as a record of which
output was computed from which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import Node


class Flow:
    """The paths from an image to the outputs of a backbone.

    Args:
        image (Node): The node of the image.
        marked (Sequence[Node | None]): The node of each call's output, None
            where the output is no tensor or does not depend on the image.
        outputs (Iterable[Tensor]): What the backbone returned.

    Example:
        >>> import torch
        >>> x = torch.ones(1, requires_grad=True)
        >>> y = 2 * x
        >>> left, right = y + 1, y + 2
        >>> nodes = [t.grad_fn for t in (y, left, right)]
        >>> flow = Flow(nodes[0], nodes, [left])
        >>> flow.feeds(0, 1), flow.feeds(1, 0), flow.feeds(0, 2)
        (True, False, False)
    """

    def __init__(
        self,
        image: Node,
        marked: Sequence[Node | None],
        outputs: Iterable[Tensor],
    ) -> None:
        bits: dict[Node, int] = {}
        for index, node in enumerate(marked):
            if node is not None:
                bits[node] = bits.get(node, 0) | 1 << index
        roots = [t.grad_fn for t in outputs if t.grad_fn is not None]
        before, learned = _walk(roots, image, bits)
        # Only numbers are stored: a node would keep the whole graph alive.
        self.is_cut = not any(root in before for root in roots)
        self._before = [before.get(n, 0) if n else 0 for n in marked]
        self._learned = [n in learned for n in marked]
        returned = set(_copied(roots[-1])) if roots else set()
        self._returned = [n in returned for n in marked]

    def reaches_output(self, index: int) -> bool:
        """Tell whether a call has any influence on the outputs."""
        return self._before[index] > 0

    def is_returned(self, index: int) -> bool:
        """Tell whether a call's output is the last output itself."""
        return self._returned[index]

    def is_learned(self, index: int) -> bool:
        """Tell whether weights had a part in a call's output."""
        return self._learned[index]

    def feeds(self, first: int, second: int) -> bool:
        """Tell whether a call's output was computed from another's.

        A call that returns its input shares a node with it: neither feeds the
        other, and both have the same calls before them.
        """
        before = self._before[second]
        return before >> first & 1 == 1 and before != self._before[first]


def _copied(node: Node) -> Iterator[Node]:
    """Yield a node, and what it is a mere copy of.

    The recorder copies what each call returns.
    """
    yield node
    while node.name().startswith('CloneBackward'):
        (before, _), *_ = node.next_functions
        if before is None:
            return
        node = before
        yield node


def _walk(
    roots: list[Node], image: Node, bits: dict[Node, int]
) -> tuple[dict[Node, int], set[Node]]:
    """Collect, for each node between image and roots, the calls before it.

    Calls are bits of a number. Also collect the nodes that depend on a weight.
    """
    before: dict[Node, int] = {image: bits.get(image, 0)}
    learned: set[Node] = set()
    done: set[Node] = {image}
    # A path may be thousands of nodes long, too long for recursion.
    stack = [(root, False) for root in roots]
    while stack:
        node, inputs_done = stack.pop()
        if node in done:
            continue
        inputs = [n for n, _ in node.next_functions if n is not None]
        if not inputs_done:
            stack.append((node, True))
            stack.extend((n, False) for n in inputs if n not in done)
            continue
        done.add(node)
        # A leaf other than the image is a weight. Python autograd functions,
        # such as checkpointing, hide the weights that they use.
        hides = isinstance(node, BackwardCFunction)
        if hides or not inputs or any(n in learned for n in inputs):
            learned.add(node)
        reached = [before[n] for n in inputs if n in before]
        if reached:
            before[node] = bits.get(node, 0)
            for mask in reached:
                before[node] |= mask
    return before, learned


def tensors_in(output: object) -> list[Tensor]:
    """Find the tensors in the output of a module.

    Args:
        output (object): A tensor, or tensors in lists, tuples and dicts.

    Returns:
        list[Tensor]: The tensors, in order.

    Example:
        >>> one = Tensor([1])
        >>> len(tensors_in((one, [one, None])))
        2
    """
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, dict):
        output = output.values()
    elif not isinstance(output, (list, tuple)):
        return []
    return [tensor for item in output for tensor in tensors_in(item)]
