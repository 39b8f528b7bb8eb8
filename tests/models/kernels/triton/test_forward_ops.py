"""What is declared of the operators, and fakes of them, is true: forward."""

import pytest
import torch

from tests.models.builders import UNIT_OPTIONS
from tests.models.kernels.triton.cases import Calls, make, maps


@pytest.mark.parametrize(
    ('options', 'layout'),
    [
        (UNIT_OPTIONS[0], torch.channels_last),
        (UNIT_OPTIONS[2], torch.contiguous_format),
        (UNIT_OPTIONS[4], torch.channels_last),
    ],
)
def test_schemas_and_fakes(options: dict, layout: torch.memory_format) -> None:
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
