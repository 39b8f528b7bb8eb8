"""What fakes tell of the operators is what the real ones give: backward."""

import pytest
import torch

from tests.models.builders import UNIT_OPTIONS
from tests.models.kernels.triton.cases import FakesAgree, make, maps

LAYOUTS = [torch.contiguous_format, torch.channels_last]


@pytest.mark.parametrize('options', UNIT_OPTIONS)
@pytest.mark.parametrize('layout', LAYOUTS)
def test_fakes(options: dict, layout: torch.memory_format) -> None:
    unit = make(levels=1, **options)
    inputs = maps(unit, (4, 5), layout)
    outputs = unit(*inputs)
    grads = [torch.ones_like(x) for x in outputs]
    with FakesAgree() as mode:
        torch.autograd.backward(outputs, grads)
    assert mode.seen == {'sum_norm', 'close_trunk', 'close_gates'}
