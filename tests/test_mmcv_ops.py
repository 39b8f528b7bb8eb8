"""Compiled operators of mmcv by torchvision, against their formulas."""

import importlib
import sys
from itertools import product
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mlfm_mm import mmcv_ops


def some_boxes(number: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    corner = 40 * torch.rand(number, 2, generator=generator)
    size = 5 + 30 * torch.rand(number, 2, generator=generator)
    boxes = torch.cat([corner, corner + size], 1)
    return boxes, torch.rand(number, generator=generator)


def overlap(a: Tensor, b: Tensor, offset: int) -> float:
    """The formula of mmcv's nms.cpp, in double precision."""
    a, b = a.double(), b.double()
    sides = torch.minimum(a[2:], b[2:]) - torch.maximum(a[:2], b[:2]) + offset
    shared = sides.clamp(min=0).prod()
    areas = [(c[2:] - c[:2] + offset).prod() for c in (a, b)]
    return float(shared / (areas[0] + areas[1] - shared))


@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('seed', range(3))
def test_nms(offset: int, seed: int) -> None:
    boxes, scores = some_boxes(60, seed)
    kept: list[int] = []
    for i in scores.argsort(descending=True).tolist():
        if all(overlap(boxes[i], boxes[j], offset) <= 0.4 for j in kept):
            kept.append(i)
    assert 2 < len(kept) < 60
    found = mmcv_ops.nms(boxes, scores, iou_threshold=0.4, offset=offset)
    assert found.tolist() == kept


def test_nms_of_no_boxes() -> None:
    assert len(mmcv_ops.nms(*some_boxes(0), 0.5, 0)) == 0


def aligned_by_hand(x: Tensor, roi: Tensor, size: int, ratio: int) -> Tensor:
    """Mean of bilinear samples in each cell, of one region."""
    y1, x1, y2, x2 = (roi[[2, 1, 4, 3]] - 0.5).tolist()
    out = x.new_zeros(x.shape[1], size, size)
    height, width = x.shape[2:]
    points = [(i + 0.5) / (size * ratio) for i in range(size * ratio)]
    for (i, v), (j, u) in product(enumerate(points), enumerate(points)):
        place = [
            2 * (x1 + u * (x2 - x1) + 0.5) / width - 1,
            2 * (y1 + v * (y2 - y1) + 0.5) / height - 1,
        ]
        grid = x.new_tensor(place).view(1, 1, 1, 2)
        one = x[int(roi[0])][None]
        sample = F.grid_sample(one, grid, align_corners=False)
        cell = sample.flatten() / ratio**2
        out[:, i // ratio, j // ratio] = out[:, i // ratio, j // ratio] + cell
    return out


def test_roi_align() -> None:
    torch.manual_seed(0)
    x = torch.rand(2, 3, 12, 15, dtype=torch.double, requires_grad=True)
    rois = x.new_tensor([[1, 2, 3, 9.5, 8], [0, 1.5, 1, 6, 9]])
    expected = torch.stack([aligned_by_hand(x, roi, 2, 2) for roi in rois])
    none = x.new_zeros(0)
    settings = dict(
        aligned_height=2,
        aligned_width=2,
        spatial_scale=1.0,
        sampling_ratio=2,
        pool_mode=1,
        aligned=True,
    )
    found = torch.zeros_like(expected)
    mmcv_ops.roi_align_forward(x, rois, found, none, none, **settings)
    torch.testing.assert_close(found, expected)
    weights, grad = torch.rand_like(found), torch.zeros_like(x)
    mmcv_ops.roi_align_backward(weights, rois, none, none, grad, **settings)
    (by_hand,) = torch.autograd.grad((expected * weights).sum(), x)
    torch.testing.assert_close(grad, by_hand)
    half, rough = weights.bfloat16(), torch.zeros_like(x).bfloat16()
    mmcv_ops.roi_align_backward(
        half, rois.bfloat16(), none, none, rough, **settings
    )
    torch.testing.assert_close(rough.double(), grad, rtol=0.1, atol=0.05)
    settings['pool_mode'] = 0
    with pytest.raises(NotImplementedError, match="pool_mode='max'"):
        mmcv_ops.roi_align_forward(x, rois, found, none, none, **settings)


def test_focal_loss() -> None:
    torch.manual_seed(0)
    scores = torch.randn(5, 3, dtype=torch.double, requires_grad=True)
    target = torch.tensor([0, 2, 3, 1, 3])  # 3 is background
    p, alpha, gamma = scores.sigmoid(), 0.3, 1.5
    is_class = F.one_hot(target, 4)[:, :3]
    positive = -alpha * (1 - p) ** gamma * p.log()
    negative = -(1 - alpha) * p**gamma * (1 - p).log()
    expected = torch.where(is_class == 1, positive, negative)
    none, found = scores.new_zeros(0), torch.zeros_like(expected)
    options = dict(gamma=gamma, alpha=alpha)
    mmcv_ops.sigmoid_focal_loss_forward(scores, target, none, found, **options)
    torch.testing.assert_close(found, expected)
    mmcv_ops.sigmoid_focal_loss_backward(
        scores, target, none, found, **options
    )
    (by_hand,) = torch.autograd.grad(expected.sum(), scores)
    torch.testing.assert_close(found, by_hand)
    with pytest.raises(NotImplementedError, match='weight for each class'):
        mmcv_ops.sigmoid_focal_loss_forward(
            scores, target, torch.ones(3), found, **options
        )


def there_are(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let only these be installed, and none of them be imported."""
    for name in (mmcv_ops.EXTENSION, *mmcv_ops.HOSTS):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(
        mmcv_ops, 'find_spec', lambda name: name if name in names else None
    )


@pytest.mark.parametrize('host', mmcv_ops.HOSTS)
def test_it_stands_in(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there_are(monkeypatch, host)
    assert mmcv_ops.stand_in()
    extension = importlib.import_module(mmcv_ops.EXTENSION)
    assert extension.nms is mmcv_ops.nms
    assert mmcv_ops.stand_in()
    # What mmcv's collect_env calls.
    assert extension.get_compiler_version() == 'n/a'
    assert extension.get_compiling_cuda_version() == 'n/a'
    assert extension is sys.modules.pop(mmcv_ops.EXTENSION)
    with pytest.raises(NotImplementedError, match=r'^softnms needs the comp'):
        extension.softnms(0)
    assert not hasattr(extension, '__path__')


def test_compiled_operators_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    there_are(monkeypatch, 'mmdet')
    compiled = ModuleType(mmcv_ops.EXTENSION)
    monkeypatch.setitem(sys.modules, mmcv_ops.EXTENSION, compiled)
    assert not mmcv_ops.stand_in()
    assert sys.modules[mmcv_ops.EXTENSION] is compiled
    there_are(monkeypatch, 'mmdet', mmcv_ops.EXTENSION)
    assert not mmcv_ops.stand_in()
    assert mmcv_ops.EXTENSION not in sys.modules


def test_no_host_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    there_are(monkeypatch)
    assert not mmcv_ops.stand_in()
    assert mmcv_ops.EXTENSION not in sys.modules


def test_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    there_are(monkeypatch, 'mmdet')
    monkeypatch.setitem(sys.modules, 'mmdet', ModuleType('mmdet'))
    told: list[str] = []
    monkeypatch.setattr(mmcv_ops, 'print_log', lambda t, **_: told.append(t))
    assert not mmcv_ops.stand_in()
    assert mmcv_ops.EXTENSION not in sys.modules
    assert 'imported after mlfm_mm' in told[0]
