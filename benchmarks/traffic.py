"""Kernels launched and bytes moved, counted without a GPU or a clock.

On a GPU an eager network is bound by both. In this model of it each operator
that PyTorch dispatches, and that is neither a view nor an allocation, is a
launch; its bytes are those of the tensors it reads and writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._inductor import metrics
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .setting import compiled, total

# They allocate and write nothing, or are views that PyTorch does not mark so.
FREE = {
    'empty', 'new_empty', 'empty_like', 'empty_strided', 'new_empty_strided',
    '_unsafe_view', '_reshape_alias',
}  # fmt: skip
# A norm in training reads its map twice: for the moments, and to normalize
# it. Its backward pass reads map and gradient twice.
NORMS = ('batch_norm', 'group_norm', 'layer_norm')


class Traffic(NamedTuple):
    """How many kernels a pass launches, and what they read and write."""

    launches: int
    bytes: int


class TrafficMode(TorchDispatchMode):
    """Counts the operators that are dispatched while it is active.

    Example:
        >>> x = torch.zeros(10)
        >>> with TrafficMode() as counted:
        ...     y = x.view(2, 5).add(1)
        >>> counted.traffic, dict(counted.launches)
        (Traffic(launches=1, bytes=80), {'add': 1})
    """

    def __init__(self) -> None:
        super().__init__()
        self.launches: Counter[str] = Counter()
        self.bytes = 0

    @property
    def traffic(self) -> Traffic:
        """Traffic: What was counted so far."""
        return Traffic(self.launches.total(), self.bytes)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run an operator and count it."""
        kwargs = kwargs or {}
        outputs = func(*args, **kwargs)
        read, written = _tensors((args, kwargs)), _tensors(outputs)
        name = func._schema.name.split('::')[1]
        works = written or func._schema.is_mutable
        if works and not func.is_view and name not in FREE:
            self.launches[name] += 1
            again = read[: _read_again(func, name, args)]
            self.bytes += sum(map(_nbytes, [*read, *again, *written]))
        return outputs


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _nbytes(tensor: Tensor) -> int:
    """Count the bytes of a tensor; of an expanded one, those stored."""
    if 0 in tensor.stride():
        return tensor.untyped_storage().nbytes()
    return tensor.numel() * tensor.element_size()


def _read_again(func: Any, name: str, args: tuple) -> int:
    """Count the leading inputs that a norm reads a second time."""
    if not any(norm in name for norm in NORMS):
        return 0
    flags = [
        value
        for argument, value in zip(func._schema.arguments, args, strict=False)
        if argument.name in ('training', 'train')
    ]
    if not all(flags):
        return 0
    return 2 if 'backward' in name else 1


def count_traffic(
    model: nn.Module, image: Sequence[int], training: bool, device: str = 'cpu'
) -> Traffic:
    """Count a forward pass, or a forward and a backward pass.

    Nothing is computed: fake tensors have shapes but no data.

    Args:
        model (nn.Module): The network; its mode is changed.
        image (Sequence[int]): The images' (batch, channels, height, width).
        training (bool): Whether to count the backward pass, too.
        device (str): The device of the fake tensors. A backward pass on
            ``'cuda'`` needs a GPU. Defaults to ``'cpu'``.

    Returns:
        Traffic: The counts.

    Example:
        >>> norm = nn.BatchNorm2d(1)  # reads map and four vectors, writes
        >>> count_traffic(norm, (1, 1, 10, 10), training=False)
        Traffic(launches=1, bytes=816)
    """
    # Some hosts' train() returns None, so that calls cannot be chained.
    model.train(training)
    real = [*model.named_parameters(), *model.named_buffers()]
    with (
        FakeTensorMode(allow_non_fake_inputs=True),
        torch.set_grad_enabled(training),
    ):
        state = {
            name: torch.empty_like(tensor, device=device).requires_grad_(
                tensor.requires_grad
            )
            for name, tensor in real
        }
        images = torch.empty(*image, device=device)
        with TrafficMode() as counted:
            output = functional_call(model, state, (images,))
            if training:
                total(output).backward()
    return counted.traffic


def count_kernels(
    model: nn.Module, image: Sequence[int], training: bool, device: str = 'cpu'
) -> int:
    """Compile a network, and count the kernels that inductor generates.

    The arguments are those of :func:`count_traffic`. Convolutions and matrix
    products, which inductor leaves to libraries, are not counted.
    """
    images = torch.zeros(*image, device=device)
    model.to(device)
    torch._dynamo.reset()
    metrics.reset()
    model.train(training)
    # Kernels from a cache are not generated, and would not be counted.
    with (
        torch._inductor.config.patch(force_disable_caches=True),
        torch.set_grad_enabled(training),
    ):
        output = total(compiled(model)(images))
        if training:
            output.backward()
    return int(metrics.generated_kernel_count)
