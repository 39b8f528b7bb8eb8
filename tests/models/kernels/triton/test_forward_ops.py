"""What fakes tell of the operators is what the real ones give: forward."""

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
    with FakesAgree() as mode:
        unit(*inputs)
        with torch.no_grad():
            unit.eval()(*inputs)
    assert mode.seen == {
        'measure_gates', 'finish_moments', 'open_gates', 'normalize',
    }  # fmt: skip
