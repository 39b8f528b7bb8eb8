from pathlib import Path

import pytest
import torch
from torch import nn

from mlfm_mm.analysis.memory_view import (
    PARTS,
    find_neck,
    tabulate,
    view_memory,
)
from mlfm_mm.analysis.trained import Trained
from mlfm_mm.engine import UsageError
from tests.analysis.networks import classifier, segmentor


@pytest.mark.parametrize('make', [classifier, segmentor])
def test_parts_obey_the_formulas(make: type[Trained], tmp_path: Path) -> None:
    network = make(tmp_path)
    x = torch.randn(1, 3, 32, 32)
    views = view_memory(network.model, x)
    neck = find_neck(network.model)
    assert [v.tap for v in views] == [tap.module for tap in neck.taps]
    memory = x[0]
    for view, unit in zip(views, neck.units, strict=True):
        maps = view.maps
        assert set(maps) == set(PARTS)
        torch.testing.assert_close(maps['memory_in'], memory)
        total = (maps['trunk_before'] + view.low())[None]
        with torch.no_grad():
            after, memory = unit.output_gate(total), unit.forget_gate(total)[0]
        torch.testing.assert_close(
            maps['trunk_after'][None], after, rtol=1e-4, atol=1e-4
        )
        torch.testing.assert_close(
            maps['memory_out'], memory, rtol=1e-4, atol=1e-4
        )
    power = views[0].low().square().mean()
    trunk = views[0].maps['trunk_before'].square().mean()
    assert views[0].row()['share'] == pytest.approx(power / (power + trunk))


def test_looking_leaves_no_trace(tmp_path: Path) -> None:
    model = classifier(tmp_path).model
    model.train()
    model.backbone.eval()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    x = torch.randn(1, 3, 32, 32)
    view_memory(model, x)
    torch.testing.assert_close(dict(model.state_dict()), before)
    assert model.training and not model.backbone.training
    for unit in model.neck.units:
        assert not unit._forward_hooks and not unit._forward_pre_hooks


def test_units_without_supplement(tmp_path: Path) -> None:
    network = classifier(tmp_path)
    network.model.neck.units[2].supplement_gate = None
    view = view_memory(network.model, torch.randn(1, 3, 32, 32))[2]
    assert {'supplement_gate', 'image_band'}.isdisjoint(view.maps)
    row = tabulate([view], 'net: picture').rows[0]
    assert row['supplement_gate'] is None and row['input_gate'] > 0


def test_a_network_without_memory() -> None:
    with pytest.raises(UsageError, match='has no MLFMNeck'):
        find_neck(nn.Sequential())


class Pair(nn.Module):
    """A student and its teacher, of which the second one looks."""

    def __init__(self, student: nn.Module, teacher: nn.Module) -> None:
        super().__init__()
        self.student, self.teacher = student, teacher

    def extract_feat(self, x: torch.Tensor) -> object:
        return self.teacher.extract_feat(x)


def test_of_several_memories_the_one_that_looks(tmp_path: Path) -> None:
    student, teacher = (classifier(tmp_path).model for _ in range(2))
    x = torch.randn(1, 3, 32, 32)
    seen = view_memory(Pair(student, teacher), x)[-1].maps['memory_out']
    alone = view_memory(teacher, x)[-1].maps['memory_out']
    torch.testing.assert_close(seen, alone)
