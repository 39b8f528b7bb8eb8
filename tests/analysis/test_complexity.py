import pytest
import torch
from torch import nn

from mlfm_mm.analysis.complexity import measure_complexity, time_step


def make_model() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


def test_counts() -> None:
    complexity = measure_complexity(make_model(), (16, 20))
    assert complexity.params == 224 + 16 + 45
    convs = 16 * 20 * 8 * 27 + 8 * 5
    # What norm and pooling cost is a matter of taste.
    assert convs <= complexity.macs <= 1.2 * convs


@pytest.mark.parametrize('training', [True, False])
def test_measuring_leaves_no_trace(training: bool) -> None:
    model = make_model()
    model.train(training)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    state = torch.get_rng_state()
    measure_complexity(model, (16, 16))
    assert model.training is training
    assert torch.equal(torch.get_rng_state(), state)
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])


def test_time_of_a_step() -> None:
    class Many(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: torch.Tensor) -> list:
            return [self.conv(x), (self.conv(x),)]

    assert 0 < time_step(Many(), 2, (8, 8), repeats=1) < 10
