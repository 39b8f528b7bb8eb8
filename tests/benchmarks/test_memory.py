import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from benchmarks.memory import peak_bytes, saved_bytes
from mlfm_mm import LFMU

MAP = 2 * 8 * 6 * 6 * 4


def images(channels: int = 8) -> Tensor:
    return torch.rand(2, channels, 6, 6)


def saved(model: nn.Module, x: Tensor) -> int:
    return saved_bytes(model, lambda: model(x).sum())


def test_a_storage_counts_once() -> None:
    x = images()
    pair = nn.ModuleList([nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)])
    # Both keep the same input, one of them through a view.
    both = saved_bytes(
        pair, lambda: (pair[0](x) + pair[1](x.view_as(x))).sum()
    )
    assert both == saved(pair[0], x) == MAP


def test_parameters_do_not_count_activations_do() -> None:
    model = nn.Sequential(
        nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8), nn.ReLU(inplace=True)
    )
    # The image; what the norm reads; its statistics; what the ReLU leaves.
    assert saved(model, images()) == 3 * MAP + 2 * 8 * 4


def test_what_is_recomputed_does_not_count() -> None:
    inner = nn.Sequential(nn.Conv2d(8, 8, 1), nn.Tanh(), nn.Conv2d(8, 8, 1))
    x = images().requires_grad_()

    class Recomputed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor) -> Tensor:
            return checkpoint(self.inner, x, use_reentrant=False)

    assert saved(inner, x) == 2 * MAP
    assert saved(Recomputed(), x) <= MAP


def test_own_functions_show_what_they_save() -> None:
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x: Tensor) -> Tensor:
            ctx.save_for_backward(x, torch.ones(10))
            return 2 * x

        @staticmethod
        def backward(ctx, grad: Tensor) -> Tensor:
            return 2 * grad

    x = images().requires_grad_()
    assert saved_bytes(nn.Identity(), lambda: Double.apply(x).sum()) == (
        MAP + 40
    )


def test_nothing_is_saved_without_gradients() -> None:
    model = nn.Conv2d(8, 8, 1)
    with torch.no_grad():
        assert saved(model, images()) == 0


def test_the_backward_pass_still_works() -> None:
    unit = LFMU(6, 8)
    x, memory = images().requires_grad_(), images(6).requires_grad_()
    losses = []

    def forward() -> Tensor:
        out, memory_out = unit(x, memory, images(3))
        losses.append(out.square().sum() + memory_out.sum())
        return losses[0]

    saved_bytes(unit, forward)
    losses[0].backward()
    assert x.grad is not None and memory.grad is not None


@pytest.mark.parametrize('held', [1, 3])
def test_peak(held: int) -> None:
    def step() -> None:
        maps = [torch.empty(1000) for _ in range(held)]
        del maps
        torch.empty(500)

    assert peak_bytes(nn.Identity(), step, 'cpu') == held * 4000


def test_peak_of_a_training_step() -> None:
    model = nn.Linear(100, 100, bias=False)
    x = torch.rand(1, 100)

    def step() -> None:
        model(x).sum().backward()

    step()
    # The gradient is dropped before, and so counts each time.
    for _ in range(2):
        assert 40_000 <= peak_bytes(model, step, 'cpu') < 100_000
