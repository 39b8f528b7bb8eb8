"""What is declared of the operators, and fakes of them, is true."""

import pytest
import torch

from tests.models.builders import UNIT_OPTIONS
from tests.models.kernels.triton.cases import Calls, make, maps

CASES = pytest.mark.parametrize(
    ('options', 'layout'),
    [
        (UNIT_OPTIONS[0], torch.channels_last),
        (UNIT_OPTIONS[2], torch.contiguous_format),
        (UNIT_OPTIONS[4], torch.channels_last),
    ],
)


@CASES
def test_forward(options: dict, layout: torch.memory_format) -> None:
    unit = make(levels=1, **options)
    inputs = maps(unit, (4, 5), layout)
    with Calls() as seen:
        unit(*inputs)
        with torch.no_grad():
            unit.eval()(*inputs)
    assert set(seen.names) == {
        'measure_gates', 'finish_moments', 'open_gates', 'normalize',
    }  # fmt: skip
    seen.check()


@CASES
def test_backward(options: dict, layout: torch.memory_format) -> None:
    unit = make(levels=1, **options)
    inputs = maps(unit, (4, 5), layout)
    outputs = unit(*inputs)
    grads = [torch.ones_like(x) for x in outputs]
    with Calls() as seen:
        torch.autograd.backward(outputs, grads)
    assert set(seen.names) == {'sum_norm', 'close_trunk', 'close_gates'}
    seen.check()
