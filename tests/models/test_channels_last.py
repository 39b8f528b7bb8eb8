"""Networks that pass maps (N, H, W, C), beside their twins in (N, C, H, W)."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.export import Dim, export

from mlfm_mm import LFMU, MLFMNeck
from mlfm_mm.models.taps import find_taps
from tests.hosts import needs_compiler, needs_mmseg
from tests.models.builders import (
    UNIT_OPTIONS,
    ChannelsLast,
    ChannelsLastBackbone,
    ToyBackbone,
    ToyModel,
    classifier,
    segmentor,
    shaken,
)
from tests.robustness.models import gradients, images, step

# The narrowest, cut short.
MAMBAOUT = dict(model_name='mambaout_femto', depths=(1, 1, 1, 1))
STRIDES = [4, 4, 8, 16, 32]


def twins(**options: object) -> tuple[nn.Module, nn.Module]:
    """The same network in both layouts, in float64."""
    torch.manual_seed(0)
    first = shaken(ToyModel(ToyBackbone(), MLFMNeck(**options)))
    last = ToyModel(ChannelsLastBackbone(), MLFMNeck(**options))
    last.load_state_dict(first.state_dict())
    return first.double(), last.double()


@pytest.mark.parametrize(
    'options',
    [*UNIT_OPTIONS, dict(kernels=False), dict(with_cp=True)],
    ids=str,
)
@pytest.mark.parametrize('size', [(64, 48), (37, 51)], ids=str)
def test_the_same_as_channels_first(
    options: dict, size: tuple[int, int]
) -> None:
    first, last = twins(**options)
    x = images(2, 3, *size).double()
    for training in (True, False):
        outs = []
        for model in (first.train(training), last.train(training)):
            model.zero_grad()
            with torch.set_grad_enabled(training):
                outs.append(model(x)[0])
            if training:
                outs[-1].square().sum().backward()
        torch.testing.assert_close(outs[1], outs[0].permute(0, 2, 3, 1))
        torch.testing.assert_close(gradients(last), gradients(first))
    torch.testing.assert_close(
        dict(last.named_buffers()), dict(first.named_buffers())
    )


@pytest.mark.parametrize('last', [False, True])
def test_sizes_that_coincide(last: bool) -> None:
    # 64 channels of 64x64 pixels in the dry run.
    parts = [nn.Conv2d(3, 64, 4, 4), nn.ReLU()], [nn.Conv2d(64, 8, 2, 2)]
    stages = [
        (ChannelsLast if last else nn.Sequential)(*part) for part in parts
    ]
    taps, _ = find_taps(Rearranging(last, *stages))
    found = [(t.channels, t.reduction, t.channels_last) for t in taps]
    assert found == [(64, 4, last), (8, 8, last)]


def test_sizes_that_coincide_where_one_is_taken() -> None:
    parts = [nn.Conv2d(3, 64, 4, 4), nn.ReLU()], [nn.Conv2d(64, 8, 2, 2)]
    backbone = Rearranging(True, *(ChannelsLast(*part) for part in parts))
    backbone.size = 256
    assert [tap.module for tap in find_taps(backbone)[0]] == ['1']
    with pytest.raises(ValueError, match=r"'0' .*64, 64, 64\) instead of"):
        find_taps(backbone, ['0'])


class Rearranging(nn.Sequential):
    """May rearrange the image first, and take one size only."""

    size = None

    def __init__(self, last: bool, *stages: nn.Module) -> None:
        super().__init__(*stages)
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        assert self.size in (None, x.shape[2])
        return super().forward(x.permute(0, 2, 3, 1) if self.last else x)


def mambaout(memory: bool, **options: object) -> nn.Module:
    """A classifier of timm."""
    torch.manual_seed(0)
    cfg = dict(MAMBAOUT, num_classes=5, **options)
    if memory:
        neck = dict(type='mlfm_mm.MLFMNeck', identity_init=True)
        return MODELS.build(
            dict(type='mlfm_mm.TimmClassifier', neck=neck, **cfg)
        )
    return MODELS.build(dict(type='mmpretrain.TimmClassifier', **cfg))


def test_a_classifier_of_timm_starts_as_it_was() -> None:
    plain, ours = mambaout(False).eval(), mambaout(True).eval()
    assert [tap.reduction for tap in ours.neck.taps] == STRIDES
    ours.load_state_dict(plain.state_dict(), strict=False)
    with torch.no_grad():
        for size in ((64, 64), (75, 97)):
            x = images(2, 3, *size)
            assert torch.equal(ours(x), plain(x))


def test_features_of_timm_start_as_they_were() -> None:
    cfg = dict(MAMBAOUT, features_only=True)
    backbone = MODELS.build(dict(type='mmpretrain.TIMMBackbone', **cfg))
    x = images(2, 3, 75, 97)
    plain = backbone(x)
    model = ToyModel(backbone, MLFMNeck(identity_init=True)).train()
    for ours, theirs in zip(model(x), plain, strict=True):
        assert torch.equal(ours, theirs)
    step(OneMap(model), x)
    assert not [n for n, p in model.named_parameters() if p.grad is None]
    # A unit starts as the identity, but its norm learns from the beginning.
    for unit in model.neck.units:
        assert unit.output_gate.weight.grad.any()


class OneMap(nn.Module):
    """The last map of a model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)[-1]


@needs_compiler
def test_one_graph() -> None:
    torch.compiler.reset()
    _, model = twins(with_cp=True)
    twin = copy.deepcopy(model)
    compiled = torch.compile(OneMap(twin), fullgraph=True, backend='aot_eager')
    x = images(2, 3, 37, 51).double()
    torch.testing.assert_close(step(compiled, x), step(OneMap(model), x))
    torch.testing.assert_close(gradients(twin), gradients(model))


@needs_compiler
def test_open_sizes() -> None:
    model = OneMap(twins()[1]).eval()
    x, sizes = images(2, 3, 64, 96).double(), {2: Dim.AUTO, 3: Dim.AUTO}
    program = export(model, (x,), dynamic_shapes=dict(x=sizes))
    for size in ((64, 96), (37, 51)):
        x = images(2, 3, *size).double()
        with torch.no_grad():
            torch.testing.assert_close(program.module()(x), model(x))


@pytest.mark.parametrize(
    'whole', [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_onnx(whole: bool, tmp_path: Path) -> None:
    # The oldest environment that is promised lacks it.
    onnxruntime = pytest.importorskip('onnxruntime')
    model = shaken(mambaout(True)) if whole else OneMap(twins()[1].float())
    for unit in (m for m in model.modules() if isinstance(m, LFMU)):
        nn.init.normal_(unit.output_gate.weight)
    file, x = str(tmp_path / 'net.onnx'), images(2, 3, 64, 96)
    torch.onnx.export(model.eval(), (x,), file, dynamo=whole)
    session = onnxruntime.InferenceSession(file)
    (entry,) = session.get_inputs()
    x = images(2, 3, 64, 96, seed=1)
    (got,) = session.run(None, {entry.name: x.numpy()})
    with torch.no_grad():
        torch.testing.assert_close(
            torch.from_numpy(got), model(x), rtol=1e-3, atol=1e-4
        )


# ---- inside a host --------------------------------------------------------


def test_a_classifier_pools_the_right_axes() -> None:
    backbone = dict(type='TIMMBackbone', features_only=True, **MAMBAOUT)
    model = classifier(backbone, 288).eval()
    x = images(2, 3, 64, 96)
    with torch.no_grad():
        (feats,) = model.extract_feat(x)[-1:]
        assert torch.equal(feats, model.backbone(x)[-1].mean((1, 2)))
    samples = [DataSample().set_gt_label(i) for i in range(2)]
    model.train().loss(x, samples)['loss'].backward()
    assert not [n for n, p in model.named_parameters() if p.grad is None]


@needs_mmseg
def test_a_segmentor_gets_maps_as_its_head_takes_them() -> None:
    backbone = dict(
        type='mmpretrain.TIMMBackbone', features_only=True, **MAMBAOUT
    )
    neck = dict(type='mlfm_mm.MLFMNeck')
    model = segmentor(backbone, neck, in_channels=288, in_index=3).eval()
    with torch.no_grad():
        assert model(images(2, 3, 64, 96)).shape == (2, 3, 2, 3)


def test_a_neck_that_is_given_is_given_what_the_backbone_returns() -> None:
    for given, shape in (
        (False, (2, 8, 12, 8)),
        (dict(type='mlfm_mm.ChannelsFirst'), (2, 8, 8, 12)),
    ):
        neck = dict(type='mlfm_mm.MLFMNeck', neck=given)
        model = classifier(ChannelsLastBackbone(), 8, neck).eval()
        with torch.no_grad():
            assert model.extract_feat(images(2, 3, 64, 96))[0].shape == shape
