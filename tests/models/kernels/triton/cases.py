"""Units by Triton's kernels beside the same in float64, by plain formulas.

On a machine without a GPU Triton interprets the kernels; the conftest at the
top asks for it, before Triton is imported.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.library import opcheck
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from mlfm_mm import LFMU
from tests.models.builders import shaken
from tests.models.plain_unit import PlainUnit, low_low

DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'
TOLERANCE = {
    torch.float64: 1e-6,  # eps and momentum are in single precision
    torch.float32: 1e-4,
    torch.float16: 1e-2,
    torch.bfloat16: 6e-2,
}


def make(memory_channels: int = 6, channels: int = 8, **options) -> LFMU:
    """A unit with weights and moments that matter."""
    torch.manual_seed(0)
    unit = LFMU(memory_channels, channels, kernels='triton', **options)
    return shaken(unit).to(DEVICE)


def maps(
    unit: LFMU,
    size: Sequence[int] = (7, 6),
    layout: torch.memory_format = torch.contiguous_format,
    images: int = 2,
    dtype: torch.dtype | None = None,
) -> list[Tensor]:
    """Feature, memory and image of a unit, which require gradients."""
    kernel = unit.input_gate.conv.weight
    widths = len(kernel), kernel.shape[1], 3
    # The same on every device.
    made = [torch.randn(images, c, *size).to(DEVICE) for c in widths]
    return [
        x.to(dtype or kernel.dtype).to(memory_format=layout).requires_grad_()
        for x in made
    ]


class Result:
    """What a unit gives, and every gradient and buffer after it."""

    def __init__(
        self, unit: nn.Module, inputs: list[Tensor], levels: int = 0
    ) -> None:
        self.values: dict[str, Tensor] = {}
        self.inputs = [t.detach().clone().requires_grad_() for t in inputs]
        out, memory = unit(*self.inputs)
        for _ in range(levels):
            memory = low_low(memory)
        self.outputs = out, memory
        self.unit = unit

    def backward(self, grads: Sequence[Tensor | None]) -> Result:
        """Go back from the gradients that are given."""
        given = zip(self.outputs, grads, strict=True)
        outputs, grads = zip(
            *((x, g) for x, g in given if g is not None), strict=True
        )
        torch.autograd.backward(outputs, grads)
        return self

    def named(self) -> dict[str, Tensor | None]:
        """All that there is to compare."""
        names = 'x', 'memory'
        found = dict(zip(names, self.outputs, strict=True))
        for name, x in zip(('x', 'memory', 'image'), self.inputs, strict=True):
            found[f'gradient of {name}'] = x.grad
        for name, weight in self.unit.named_parameters():
            found[f'gradient of {name}'] = weight.grad
        return found | dict(self.unit.named_buffers())


def compare(
    unit: LFMU,
    inputs: list[Tensor],
    tolerance: float,
    with_x: bool = True,
    with_memory: bool = True,
) -> Result:
    """Run a unit and its plain twin in float64, forward and backward."""
    twin = PlainUnit.like(unit).double()
    for plain, norm in zip(batch_norms(twin), batch_norms(unit), strict=True):
        plain.momentum = norm.momentum
    levels = unit.forget_gate.levels
    unit.zero_grad()
    found = Result(unit, inputs)
    assert graph_of(found.outputs[0]) == 'FusedUnitBackward'
    expected = Result(twin, [x.double() for x in inputs], levels)
    grads = [
        torch.randn_like(x) if wanted else None
        for x, wanted in zip(found.outputs, (with_x, with_memory), strict=True)
    ]
    found.backward(grads)
    expected.backward([g if g is None else g.double() for g in grads])
    assert_close(found.named(), expected.named(), tolerance)
    return found


def batch_norms(unit: nn.Module) -> list[nn.BatchNorm2d]:
    """The norms of a unit."""
    return [m for m in unit.modules() if isinstance(m, nn.BatchNorm2d)]


def graph_of(x: Tensor) -> str:
    """Name the operation that made a tensor."""
    return type(x.grad_fn).__name__


def assert_close(
    found: dict[str, Tensor | None],
    expected: dict[str, Tensor | None],
    tolerance: float,
) -> None:
    """Compare tensors in units of the greatest number in each."""
    assert found.keys() == expected.keys()
    for name, theirs in expected.items():
        ours = found[name]
        if theirs is None:
            assert ours is None or not ours.any(), name
            continue
        assert ours is not None, name
        scale = max(theirs.abs().max().item(), 1e-2)
        error = (ours.double() - theirs).abs().max().item() / scale
        assert error <= tolerance, f'{name}: {error}'


class Calls(TorchDispatchMode):
    """Keeps the calls of our operators, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.namespace == 'mlfm_mm':
            self.calls.append((func, args))
        return func(*args, **(kwargs or {}))

    @property
    def names(self) -> list[str]:
        return [f._schema.name.partition('::')[2] for f, _ in self.calls]

    def check(self) -> None:
        """Call each anew: it changes what its schema says, and fakes agree."""
        for func, args in self.calls:
            utils = 'test_schema', 'test_faketensor'
            opcheck(
                func,
                tree_map_only(Tensor, Tensor.detach, args),
                test_utils=utils,
            )
