"""How the neck meets its backbone, and what it refuses."""

import copy
import pickle

import mmpretrain.models
import pytest
import torch
from torch import nn

from mlfm_mm import MLFMNeck
from mlfm_mm.models import adoption, mlfm_neck, refusals
from tests.hosts import needs_mmseg
from tests.models.builders import (
    ToyBackbone,
    ToyModel,
    classifier,
    segmentor,
)

IMAGE = torch.rand(1, 3, 32, 32)


def test_the_neck_may_come_first() -> None:
    class NeckFirst(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.neck = MLFMNeck()
            self.backbone = ToyBackbone()

    assert len(NeckFirst().neck.taps) == 3


@pytest.mark.parametrize('duplicate', [copy.deepcopy, pickle.dumps])
def test_a_copy_that_waits_can_be_adopted(duplicate) -> None:
    neck = duplicate(MLFMNeck())
    neck = pickle.loads(neck) if isinstance(neck, bytes) else neck
    assert len(ToyModel(ToyBackbone(), neck).neck.taps) == 3


def test_only_a_parent_with_a_backbone_adopts() -> None:
    neck = MLFMNeck()
    nn.Sequential(neck)
    with pytest.raises(RuntimeError, match=r'no backbone.*`image_encoder`'):
        neck((IMAGE,))
    with pytest.raises(RuntimeError, match='serves no backbone'):
        neck.init_weights()


def test_the_same_backbone_may_be_adopted_again() -> None:
    # Wrappers for distillation, compilation or DDP hold the same parts.
    model = ToyModel(ToyBackbone(), MLFMNeck())
    units = model.neck.units
    twin = ToyModel(model.backbone, model.neck)
    wrapped = nn.Module()
    wrapped.backbone = nn.Sequential(model.backbone)
    wrapped.neck = model.neck
    assert twin.neck.units is units and len(units) == 3
    assert twin(IMAGE)[0].shape == (1, 8, 4, 4)


def test_a_neck_serves_one_backbone() -> None:
    neck = MLFMNeck()
    ToyModel(ToyBackbone(), neck)
    with pytest.raises(ValueError, match='already serves the ToyBackbone'):
        ToyModel(ToyBackbone(), neck)


def test_a_backbone_has_one_neck() -> None:
    backbone = ToyBackbone()
    ToyModel(backbone, MLFMNeck())
    with pytest.raises(ValueError, match='already served by an MLFMNeck'):
        ToyModel(backbone, MLFMNeck())
    with pytest.raises(ValueError, match='already served by an MLFMNeck'):
        ToyModel(nn.Sequential(backbone), MLFMNeck())


def test_a_compiled_backbone_has_the_same_taps() -> None:
    backbone = mmpretrain.models.ResNet(34, base_channels=8, stem_channels=8)
    compiled = torch.compile(backbone, backend='eager')
    # In double precision: compiled or not, sums are taken in another order.
    model = classifier(compiled, channels=64).eval().double()
    assert [tap.module for tap in model.neck.taps][:2] == ['relu', 'maxpool']
    assert len(model.neck.units) == 8
    image = torch.rand(1, 3, 64, 64).double()
    with torch.no_grad():
        found = model(image)
        model.backbone = backbone
        torch.testing.assert_close(found, model(image))


def test_a_model_inside_a_model_keeps_its_neck() -> None:
    outer = nn.Module()
    outer.backbone = ToyBackbone()
    outer.teacher = ToyModel(ToyBackbone(), MLFMNeck())
    assert not outer.backbone._forward_hooks
    assert outer.teacher(IMAGE)[0].shape == (1, 8, 4, 4)


def test_a_replaced_backbone_is_noticed() -> None:
    model = ToyModel(ToyBackbone(), MLFMNeck())
    with pytest.raises(ValueError, match='cannot serve a second'):
        model.backbone = ToyBackbone()


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the neck warns of."""
    texts: list[str] = []
    for module in (adoption, mlfm_neck, refusals):
        monkeypatch.setattr(
            module, 'print_log', lambda text, *_, **__: texts.append(text)
        )
    return texts


def adopted() -> ToyModel:
    return ToyModel(ToyBackbone(), MLFMNeck()).eval()


def test_features_from_elsewhere_are_noticed(warnings: list[str]) -> None:
    # Behind PyTorch's back; features from a cache look the same.
    model = adopted()
    model._modules['backbone'] = ToyBackbone()
    warnings.clear()
    model(IMAGE)
    model(IMAGE)
    assert len(warnings) == 1
    assert 'more often than its ToyBackbone' in warnings[0]


def test_hooks_that_someone_removed_are_noticed(warnings: list[str]) -> None:
    model = adopted()
    model(IMAGE)
    for module in model.modules():
        module._forward_hooks.clear()
    warnings.clear()
    model(IMAGE)
    assert len(warnings) == 1
    assert 'hooks were removed' in warnings[0]


def test_units_left_in_training_are_noticed(warnings: list[str]) -> None:
    model = adopted().train()
    model.backbone.eval()
    warnings.clear()
    model(IMAGE.expand(2, -1, -1, -1))  # a frozen trunk, whose units learn
    assert not warnings
    with torch.no_grad():
        model.backbone(IMAGE)
        model.backbone(IMAGE)
    assert len(warnings) == 1
    assert 'eval() on the model or on the neck' in warnings[0]


def test_a_neck_in_place_of_the_serving_one(warnings: list[str]) -> None:
    model = adopted()
    warnings.clear()
    model.neck = nn.Sequential(model.neck)
    # A wrapper that holds the whole model, or its neck by another name.
    student = nn.Module()
    student.teacher, student.backbone = model, model.backbone
    student.neck = nn.Identity()
    ToyModel(ToyBackbone(), nn.Identity())  # without memory
    assert not warnings
    model.neck = nn.Identity()
    assert len(warnings) == 1
    assert 'ToyBackbone keeps the memory of its MLFMNeck' in warnings[0]


def test_no_warning_where_the_backbone_ran(warnings: list[str]) -> None:
    model, compiled = adopted(), adopted()
    compiled.backbone.compile(backend='eager')
    warnings.clear()
    for _ in range(2):
        feats = [model.backbone(image) for image in (IMAGE, IMAGE)]
        assert [len(model.neck(feat)) for feat in feats]
        compiled(IMAGE)
    assert not warnings


@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16])
def test_units_compute_as_the_backbone_does(dtype: torch.dtype) -> None:
    backbone = ToyBackbone().to(dtype)
    model = ToyModel(backbone, MLFMNeck())
    assert {p.dtype for p in model.neck.parameters()} == {dtype}
    assert model(IMAGE.to(dtype))[0].dtype == dtype
    model = ToyModel(ToyBackbone().to('meta'), MLFMNeck())
    assert all(p.is_meta for p in model.neck.parameters())


# ---- bad input ------------------------------------------------------------


@needs_mmseg
def test_keys_of_a_base_neck() -> None:
    with pytest.raises(TypeError, match=r"'out_channels'.*_delete_=True"):
        segmentor(
            dict(type='mmseg.ResNetV1c', depth=18),
            dict(type='mlfm_mm.MLFMNeck', out_channels=16),
            in_channels=512,
        )


def test_unknown_options() -> None:
    with pytest.raises(ValueError, match="wavelet='haarr'"):
        MLFMNeck(wavelet='haarr')
    with pytest.raises(ValueError, match="update='mul'"):
        MLFMNeck(update='mul')


@pytest.mark.parametrize(
    ('image', 'error', 'message'),
    [
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), TypeError, 'uint8'),
        (torch.zeros(3, 32, 32), ValueError, r'\(3, 32, 32\), and needs'),
        (
            torch.zeros(1, 4, 32, 32),
            ValueError,
            r'\(N, 3, H, W\).*image_channels',
        ),
        (torch.zeros(1, 3, 4, 32), ValueError, '4x32.*at least 5'),
    ],
)
def test_bad_images(image, error: type, message: str) -> None:
    model = ToyModel(ToyBackbone(), MLFMNeck())
    with pytest.raises(error, match=message):
        model(image)


class Resized(nn.Module):
    """Enlarges maps that are smaller than ``below``."""

    def __init__(self, below: float) -> None:
        super().__init__()
        self.below = below

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[-1] >= self.below:
            return x
        return nn.functional.interpolate(x, 64)


def test_sizes_that_cannot_meet() -> None:
    backbone = ToyBackbone()
    # The dry run, at larger images, does not see it.
    backbone.stage1.append(Resized(below=16))
    model = ToyModel(backbone, MLFMNeck(taps=['stage0', 'stage1']))
    model(torch.rand(1, 3, 256, 256))
    message = r"tap 'stage1'.*size \(8, 8\).*size \(64, 64\)"
    with pytest.raises(ValueError, match=message):
        model(IMAGE)


def test_a_size_that_ignores_the_image() -> None:
    backbone = ToyBackbone()
    backbone.stage1.append(Resized(below=float('inf')))
    message = (
        "'stage1' .* ignores the image size; it can be tapped at stage1.2"
    )
    with pytest.raises(ValueError, match=message):
        ToyModel(backbone, MLFMNeck(taps=['stage0', 'stage1']))


def test_a_model_on_clips() -> None:
    class Recognizer2D(nn.Module):
        __module__ = 'mmaction.models.recognizers'

    model = Recognizer2D()
    model.backbone = ToyBackbone()
    with pytest.raises(ValueError, match='Recognizer2D with ToyBackbone'):
        model.neck = MLFMNeck()
