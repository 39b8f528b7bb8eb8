"""What follows the memory, given or chosen by what the head takes."""

from typing import Any

import pytest
import torch
from mmengine.registry import DefaultScope, Registry
from mmpretrain.models.necks import GlobalAveragePooling as GAPNeck
from mmpretrain.registry import MODELS as CLS
from torch import Tensor, nn

from mlfm_mm import MLFMNeck
from mlfm_mm.models import following
from mlfm_mm.registry import MODELS
from tests.hosts import needs_mmseg
from tests.models.builders import ToyBackbone, segmentor

IMAGE = torch.rand(2, 3, 64, 64)
RESNET = dict(type='ResNet', depth=18)
LINEAR = dict(type='LinearClsHead', num_classes=5, in_channels=512)
CSRA = dict(
    type='CSRAClsHead', num_classes=5, in_channels=512, num_heads=1, lam=0.1
)
MEMORY = dict(type='mlfm_mm.MLFMNeck')
GAP = dict(type='GlobalAveragePooling')


def classifier(neck: Any, head: dict | None, backbone: dict = RESNET) -> Any:
    cfg = dict(type='ImageClassifier', backbone=backbone, neck=neck, head=head)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return CLS.build(cfg)


def followers(module: nn.Module) -> list[str]:
    """The classes of what follows each memory."""
    necks = [m.neck for m in module.modules() if isinstance(m, MLFMNeck)]
    return [type(neck).__name__ for neck in necks]


@pytest.mark.parametrize(
    ('neck', 'head', 'expected'),
    [
        (MEMORY, LINEAR, 'GlobalAveragePooling'),
        (MEMORY, None, 'GlobalAveragePooling'),
        # The head takes the map.
        (MEMORY, CSRA, 'NoneType'),
        (dict(MEMORY, neck=False), CSRA, 'NoneType'),
        # What is given stays, with and without arguments.
        (
            dict(MEMORY, neck=dict(type='GeneralizedMeanPooling')),
            LINEAR,
            'GeneralizedMeanPooling',
        ),
        (dict(MEMORY, neck=[GAP]), LINEAR, 'Sequential'),
        # In a list, others may have pooled before or will do so.
        ([GAP, MEMORY], LINEAR, 'NoneType'),
        ([MEMORY, GAP], LINEAR, 'NoneType'),
        ([MEMORY], LINEAR, 'GlobalAveragePooling'),
    ],
    ids=str,
)
def test_classifiers(neck: Any, head: dict | None, expected: str) -> None:
    model = classifier(neck, head)
    assert followers(model) == [expected]
    out = model(IMAGE, mode='tensor')
    assert head is None or out.shape == (2, 5)


@pytest.mark.parametrize('scope', ['mmpretrain', 'own', None])
def test_a_neck_in_the_scope_of_a_users_project(scope: str | None) -> None:
    own = Registry('model', parent=CLS, scope='own')
    own.register_module(name='OwnNeck', module=type('OwnNeck', (GAPNeck,), {}))
    kinds = ['mmpretrain.GlobalAveragePooling', 'own.OwnNeck']
    kinds += ['OwnNeck'] if scope == 'own' else []
    try:
        for kind in kinds:
            neck = dict(MEMORY, neck=dict(type=kind))
            cfg = dict(
                type='mmpretrain.ImageClassifier',
                backbone=dict(RESNET, type='mmpretrain.ResNet'),
                neck=neck,
                head=dict(LINEAR, type='mmpretrain.LinearClsHead'),
            )
            with DefaultScope.overwrite_default_scope(scope):
                model = CLS.build(cfg)
            assert followers(model) == [kind.rpartition('.')[2]]
    finally:
        del CLS.children['own']


def test_nothing_follows_on_request() -> None:
    model = classifier(dict(MEMORY, neck=False), None)
    assert model(IMAGE, mode='tensor')[-1].shape == (2, 512, 2, 2)


def test_a_backbone_that_pools_by_itself() -> None:
    head = dict(LINEAR, in_channels=320)
    model = classifier(MEMORY, head, dict(type='ConvNeXt', arch='atto'))
    assert followers(model) == ['NoneType']
    assert model(IMAGE, mode='tensor').shape == (2, 5)


def test_a_retriever_whose_encoder_has_memory() -> None:
    encoder = dict(type='ImageClassifier', backbone=RESNET, neck=MEMORY)
    cfg = dict(
        type='ImageToImageRetriever',
        image_encoder=encoder,
        prototype=torch.rand(5, 512),
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = CLS.build(cfg)
    assert followers(model) == ['GlobalAveragePooling']
    assert model.extract_feat(IMAGE)[-1].shape == (2, 512)


def test_a_fused_list_of_maps() -> None:
    scales = dict(type='HRFuseScales', in_channels=(64, 128, 256, 512))
    resnet = dict(RESNET, out_indices=(0, 1, 2, 3))
    head = dict(LINEAR, in_channels=2048)
    model = classifier([scales, MEMORY], head, resnet)
    assert followers(model) == ['GlobalAveragePooling']
    assert model(IMAGE, mode='tensor').shape == (2, 5)


@needs_mmseg
def test_a_segmentor_keeps_its_maps() -> None:
    backbone = dict(type='mmseg.ResNetV1c', depth=18)
    model = segmentor(backbone, MEMORY, in_channels=512)
    assert followers(model) == ['NoneType']


# ---- models of other libraries --------------------------------------------


class VectorHead(nn.Module):
    """As for regression of key points: it flattens what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 4)

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        return self.fc(feats[-1].flatten(1))


class MapHead(nn.Module):
    """As for heat maps."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 4, 1)

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        return self.conv(feats[-1])


class LossHead(nn.Module):
    """Knows no forward pass."""


def assigned(order: str, head: nn.Module) -> nn.Module:
    """A model whose library has a pooling, with parts in some order."""
    parts = dict(b=('backbone', ToyBackbone()), n=('neck', MLFMNeck()))
    parts['h'] = ('head', head)
    # Known by its module, as that of a host.
    kind = type('Estimator', (nn.Module,), {'__module__': 'mmpretrain.x'})
    model = kind()
    for letter in order:
        setattr(model, *parts[letter])
    return model


@pytest.mark.parametrize('order', ['bnh', 'bhn', 'nbh', 'hnb', 'nhb'])
@pytest.mark.parametrize(
    ('head', 'expected'),
    [
        (VectorHead, 'GlobalAveragePooling'),
        (MapHead, 'NoneType'),
        (nn.Identity, 'NoneType'),  # takes both
        (LossHead, 'NoneType'),  # takes neither
    ],
)
def test_other_models(order: str, head: type, expected: str) -> None:
    assert followers(assigned(order, head())) == [expected]


def test_the_head_is_only_looked_at() -> None:
    head = VectorHead()
    before = {k: v.clone() for k, v in head.state_dict().items()}
    assigned('bnh', head)
    assert head.training
    assert all(torch.equal(before[k], v) for k, v in head.state_dict().items())


def test_a_later_head_changes_nothing() -> None:
    model = assigned('bnh', VectorHead())
    model.neck.neck = None
    model.head = VectorHead()
    assert model.neck.neck is None


def test_a_choice_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # A base config's neck without arguments has left no trace.
    told: list[str] = []
    monkeypatch.setattr(
        following, 'print_log', lambda text, **_: told.append(text)
    )
    classifier(dict(MEMORY, neck=GAP), LINEAR)
    assert not told
    classifier(MEMORY, LINEAR)
    (text,) = told
    assert text.startswith('GlobalAveragePooling follows the memory')
    assert 'neck={{_base_.model.neck}}' in text


@MODELS.register_module()
class PositiveNeck(nn.Module):
    """Keeps the positive part of a map."""

    def forward(self, feats: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(x.relu() for x in feats)


INSTANCE = dict(norm_cfg=dict(type='IN', affine=True))
# Means are no longer the same behind it.
POSITIVE = dict(type='mlfm_mm.PositiveNeck')
DEEP = dict(taps=['layer4'], neck=[GAP])


@pytest.mark.parametrize(
    ('options', 'is_blind'),
    [
        (INSTANCE, True),
        (dict(DEEP, norm_cfg=dict(type='GN', num_groups=512)), True),
        (dict(DEEP, norm_cfg=dict(type='GN', num_groups=256)), False),
        (dict(INSTANCE, identity_init=True), False),
        (dict(INSTANCE, neck=[POSITIVE, GAP]), False),
        (dict(INSTANCE, taps=['layer1', 'layer3']), False),
        (dict(INSTANCE, taps=['layer1', 'layer4.0']), False),
        ({}, False),
    ],
    ids=str,
)
def test_means_that_pooling_returns(
    options: dict, is_blind: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A norm for each channel of an image leaves pooling nothing to tell."""
    told: list[str] = []
    monkeypatch.setattr(
        following, 'print_log', lambda text, *_, **__: told.append(text)
    )
    # Of two maps that it returns, the head takes the last.
    backbone = dict(RESNET, out_indices=(2, 3))
    model = classifier(dict(MEMORY, **options), LINEAR, backbone)
    *_, pooled = model.extract_feat(torch.randn(2, 3, 96, 96))
    gap = (pooled[0] - pooled[1]).abs().max() / pooled.abs().max().clamp(1)
    assert (gap < 1e-3) == is_blind
    assert any('the network would see nothing' in x for x in told) == is_blind


def test_means_that_another_neck_pools(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(
        following, 'print_log', lambda text, *_, **__: told.append(text)
    )
    # As if it ran within another network, which only returns what it does.
    timm = dict(type='TIMMBackbone', model_name='resnet18')
    for backbone in (RESNET, timm):
        told.clear()
        classifier([dict(MEMORY, **INSTANCE), GAP], LINEAR, backbone)
        assert 'the same mean for all images' in ''.join(told)
    told.clear()
    classifier([dict(MEMORY, **INSTANCE), POSITIVE, GAP], LINEAR)
    assert not told
    classifier(dict(MEMORY, **INSTANCE), CSRA)
    assert not told


def test_one_map_with_the_channels_last() -> None:
    one = torch.ones(2, 4, 6, 8)
    (found,) = following.ChannelsFirst()(one)
    assert found.shape == (2, 8, 4, 6)
