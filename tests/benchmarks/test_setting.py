from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.setting import Setting, compiled, make_program, total
from mlfm_mm.engine import UsageError


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('batch', 0),
        ('size', '12x'),
        ('size', '0'),
        ('size', 'large'),
        ('size', '1x2x3'),
        ('device', 'tpu'),
    ],
)
def test_wrong_settings(field: str, value: object) -> None:
    with pytest.raises(UsageError, match=f'--{field} {value}'):
        Setting(**{field: value})


def test_total_of_nested_outputs() -> None:
    one = torch.ones(2, 3)
    assert total([one, (one, [one])]) == 18


def test_no_gpu() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match='finds none'):
            Setting(device='cuda:0')


def test_a_training_step_moves_no_weight() -> None:
    model = nn.Conv2d(5, 4, 3)
    before = model.weight.clone()
    program = make_program(model, Setting(2, '8'), training=True, channels=5)
    program.step()
    assert model.training and model.weight.grad is not None
    assert torch.equal(model.weight, before)


def test_inference_in_bf16_and_channels_last() -> None:
    seen: list[Tensor] = []
    model = nn.Conv2d(3, 4, 3)
    model.register_forward_hook(lambda m, args, out: seen.extend([*args, out]))
    setting = Setting(2, '6x8', dtype='bf16', layout='channels_last')
    make_program(model, setting, training=False).step()
    images, out = seen
    assert images.shape == (2, 3, 6, 8) and not model.training
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert out.dtype == torch.bfloat16 and not out.requires_grad


def add(value: float, module: nn.Module, inputs: tuple, out: Tensor) -> Tensor:
    return out + value


def test_a_compiled_network_keeps_its_hooks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What is kept apart are graphs; generating code for them takes long.
    graphs = []

    def backend(graph: torch.fx.GraphModule, inputs: list) -> Any:
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(
        torch, 'compile', partial(torch.compile, backend=backend)
    )
    x = torch.ones(1, 3)
    with torch.no_grad():
        for added in (0.0, 1.0, 2.0):
            model = nn.Sequential(nn.Identity())
            model[0].register_forward_hook(partial(add, added))
            assert torch.equal(compiled(model)(x), x + added)
    assert graphs
