"""A gate forward and backward, by its columns and by its maps."""

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from mlfm_mm import LFMU
from mlfm_mm.models.kernels import gate as kernel
from mlfm_mm.models.kernels.gate import as_laid_out
from tests.models.builders import shaken

LAYOUTS = [torch.contiguous_format, torch.channels_last]


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize(('channels', 'few'), [(64, True), (8, False)])
def test_gradients_of_both_branches(
    channels: int,
    few: bool,
    training: bool,
    layout: torch.memory_format,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unit = shaken(LFMU(6, channels)).double().train(training)
    seen: list[bool] = []

    class Watched(kernel.GateBackward):
        def __init__(self, *args: object) -> None:
            super().__init__(*args)
            seen.append(self.few_columns)

    monkeypatch.setattr(
        'mlfm_mm.models.kernels.training.GateBackward', Watched
    )
    inputs = [
        torch.randn(2, c, 4, 5, dtype=torch.float64)
        .to(memory_format=layout)
        .requires_grad_()
        for c in (channels, 6, 3)
    ]
    weights = [p for p in unit.parameters()]

    def call(*tensors: Tensor) -> tuple[Tensor, ...]:
        return unit(*tensors[:3])

    assert gradcheck(call, [*inputs, *weights], fast_mode=True)
    assert set(seen) == {few}


def test_a_map_takes_the_layout_of_another() -> None:
    low, x = torch.randn(2, 2, 3, 4, 5)
    assert as_laid_out(low, x) is low
    for given in (x.transpose(2, 3).contiguous().transpose(2, 3), x[..., ::1]):
        found = as_laid_out(low, given)
        assert torch.equal(found, low)
        assert found.stride() == given.stride()
