"""The taps of real backbones, and of a user's list."""

import mmpretrain.models
import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS as CLS
from torch import Tensor, nn

from mlfm_mm import MLFMNeck
from mlfm_mm.models.backbones import InceptionNeXt
from mlfm_mm.models.taps import Tap, capture_point, find_taps
from mlfm_mm.models.taps.dry_run import dry_run
from tests.hosts import SEG, needs_mmseg
from tests.models.builders import ToyBackbone, ToyModel

assert mmpretrain.models

RESNET = 'relu/2 maxpool/4 layer1/4 layer2/8 layer3/16 layer4/32'
DEEP = (
    '{}/2 maxpool/4 layer1/4 layer2.1/8 layer2/8 layer3.2/16 layer3/16 '
    'layer4/32'
)
STAGES = 'downsample_layers.0/4 stages.0/4 stages.1/8 stages.2/16 stages.3/32'
POOLED = 'features.2/2 features.5/4 features.9/8 features.13/16 features.17/32'

# The wiring of the paper, then the rule for other networks.
CLASSIFIERS = [
    (dict(type='ResNet', depth=18), RESNET),
    (dict(type='ResNet', depth=34), DEEP.format('relu')),
    (dict(type='ResNet', depth=50), DEEP.format('relu')),
    (dict(type='ResNet', depth=101), RESNET),
    (dict(type='ResNetV1d', depth=50), DEEP.format('stem')),
    (dict(type='SEResNet', depth=50), RESNET),
    (
        dict(type='ResNet_CIFAR', depth=18),
        'relu/1 layer1/1 layer2/2 layer3/4 layer4/8',
    ),
    (
        dict(type='RegNet', arch='regnetx_400mf'),
        'relu/2 layer1/4 layer2/8 layer3/16 layer4/32',
    ),
    (
        dict(type='MobileNetV2', widen_factor=0.35),
        'conv1/2 layer2/4 layer3/8 layer4/16 layer5/16 layer6/32',
    ),
    (
        dict(type='EfficientNet', arch='b0'),
        'layers.0/2 layers.2/4 layers.3/8 layers.4/16 layers.5/32',
    ),
    (dict(type='ConvNeXt', arch='tiny'), STAGES),
    (dict(type='EdgeNeXt'), STAGES),
    (dict(type='HorNet'), STAGES),
    (
        dict(type='MobileNetV3', arch='small'),
        'layer0/2 layer1/4 layer3/8 layer8/16 layer12/32',
    ),
    (
        dict(type='RepVGG', arch='A0'),
        'stem/2 stage_1/4 stage_2/8 stage_3/16 stage_4/32',
    ),
    (
        dict(type='MobileOne', arch='s0'),
        'stage0/2 stage1/4 stage2/8 stage3/16 stage4/32',
    ),
    (
        dict(type='DenseNet', arch='121'),
        'stem/4 stages.0/4 stages.1/8 stages.2/16 stages.3/32',
    ),
    (
        dict(type='CSPDarkNet', depth=53),
        'stem/1 stages.0/2 stages.1/4 stages.2/8 stages.3/16 stages.4/32',
    ),
    (
        dict(type='CSPResNet', depth=50),
        'stem/4 stages.0/4 stages.1/8 stages.2/16 stages.3/32',
    ),
    (
        dict(type='ShuffleNetV1'),
        'conv1/2 maxpool/4 layers.0/8 layers.1/16 layers.2/32',
    ),
    (
        dict(type='ShuffleNetV2'),
        'conv1/2 maxpool/4 layers.0/8 layers.1/16 layers.2/32 layers.3/32',
    ),
    (
        dict(type='RepLKNet', arch='31B'),
        'stem.0/2 stages.0/4 stages.1/8 stages.2/16 stages.3/32',
    ),
    (
        dict(type='PoolFormer', arch='s12'),
        'patch_embed/4 network.0/4 network.2/8 network.4/16 network.6/32',
    ),
    (dict(type='VGG', depth=16), POOLED),
    (dict(type='VGG', depth=16, norm_cfg=dict(type='BN')), POOLED),
]

SEGMENTORS = [
    (
        dict(
            type='ResNetV1c',
            depth=18,
            strides=(1, 2, 1, 1),
            dilations=(1, 1, 2, 4),
        ),
        'stem/2 maxpool/4 layer1/4 layer2/8 layer3/8 layer4/8',
    ),
    (
        dict(type='UNet', base_channels=8),
        'encoder.0/1 encoder.1/2 encoder.2/4 encoder.3/8 encoder.4/16',
    ),
    (dict(type='ERFNet'), 'encoder.0/2 encoder.6/4 encoder.15/8'),
]


def check(backbone: nn.Module, wanted: str) -> None:
    taps, _ = find_taps(backbone)
    assert ' '.join(f'{t.module}/{t.reduction}' for t in taps) == wanted


@pytest.mark.parametrize(('cfg', 'wanted'), CLASSIFIERS, ids=str)
def test_mmpretrain_backbones(cfg: dict, wanted: str) -> None:
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        check(CLS.build(cfg), wanted)


@needs_mmseg
@pytest.mark.parametrize(('cfg', 'wanted'), SEGMENTORS, ids=str)
def test_mmseg_backbones(cfg: dict, wanted: str) -> None:
    with DefaultScope.overwrite_default_scope('mmseg'):
        check(SEG.build(cfg), wanted)


@pytest.mark.parametrize(
    ('cfg', 'wanted'),
    [
        (
            dict(type='ResNet', depth=34),
            'layer1/4 layer2/8 layer3/16 layer4/32',
        ),
        (dict(type='ConvNeXt', arch='atto'), STAGES.partition(' ')[2]),
        (
            dict(type='MobileNetV2', widen_factor=0.1),
            'layer2/4 layer3/8 layer5/16 layer6/32',
        ),
        (
            dict(type='RepVGG', arch='A0'),
            'stage_1/4 stage_2/8 stage_3/16 stage_4/32',
        ),
    ],
    ids=str,
)
def test_the_ends_of_stages(cfg: dict, wanted: str) -> None:
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        taps, _ = find_taps(CLS.build(cfg), 'stages')
    found = ' '.join(f'{tap.module}/{tap.reduction}' for tap in taps)
    assert found == wanted


def test_tap_channels_and_order() -> None:
    # In the order of the trunk, whatever the order of the list.
    taps, _ = find_taps(ToyBackbone(), ['stage2', 'stage0'])
    assert taps == [Tap('stage0', 4, 2), Tap('stage2', 8, 8)]


def test_padding_that_adds_a_pixel_still_halves() -> None:
    stage = nn.Sequential(nn.Conv2d(3, 4, 2, 2, padding=1), nn.ReLU())
    taps, _ = find_taps(nn.Sequential(stage))
    assert taps == [Tap('0', 4, 2, aligned=False)]


def test_capture_point() -> None:
    assert capture_point(dry_run(ToyBackbone())) == 'stage0'
    # A norm may be replaced by SyncBN conversion and lose its hooks.
    normed = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3))
    assert capture_point(dry_run(normed)) == ''


class TwiceBackbone(ToyBackbone):
    def forward(self, x):
        return super().forward(self.stage0[2](x))


class PairBackbone(ToyBackbone):
    def __init__(self) -> None:
        super().__init__()
        self.pair = nn.Identity()
        self.decoder = nn.Sequential(nn.Upsample(scale_factor=2))
        self.pooled = nn.AdaptiveAvgPool2d(1)
        self.split = Split()

    def forward(self, x):
        (x,) = super().forward(x)
        self.split(x), self.pooled(x)
        return (self.decoder(self.pair(x)),)


class Split(nn.Module):
    def forward(self, x):
        return x, x


@pytest.mark.parametrize(
    ('backbone', 'tap', 'message'),
    [
        (ToyBackbone, 'stage9', "no module 'stage9'.*tapped at.*stage2"),
        (ToyBackbone, 'unused', "'unused' never fires"),
        (TwiceBackbone, 'stage0.2', 'fires 2 times'),
        (ToyBackbone, 'stage0.1', 'is a norm layer'),
        (ToyBackbone, 'stage0.0', 'is a bare convolution'),
        (PairBackbone, 'pair', 'is a placeholder'),
        (PairBackbone, 'pooled', 'pooled the whole map'),
        (PairBackbone, 'split', 'returns several tensors'),
    ],
)
def test_taps_that_cannot_be(backbone, tap: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_taps(backbone(), ['stage0', tap])


def test_resolution_must_not_come_back() -> None:
    with pytest.raises(ValueError, match=r"'decoder' \(stride 4\).*'stage2'"):
        find_taps(PairBackbone(), ['stage2', 'decoder'])


@pytest.mark.parametrize('taps', ['layer1', 3, [1, 2]])
def test_taps_of_a_wrong_kind(taps) -> None:
    with pytest.raises(TypeError, match="'stages' or a list of module names"):
        find_taps(ToyBackbone(), taps)


def test_a_word_for_a_flag() -> None:
    with pytest.raises(ValueError, match="decoder='no' must be True or"):
        find_taps(ToyBackbone(), decoder='no')


def test_nothing_to_tap() -> None:
    with pytest.raises(ValueError, match='without any memory'):
        find_taps(ToyBackbone(), [])
    with pytest.raises(ValueError, match='returns no feature: its out_ind'):
        find_taps(InceptionNeXt(out_indices=()))


class CutBackbone(ToyBackbone):
    """Lets no gradient through to the image."""

    def forward(self, x: Tensor) -> tuple[Tensor]:
        with torch.no_grad():
            x = self.stage0(x)
        return (self.stage2(self.stage1(x)),)


@pytest.mark.parametrize('taps', ['auto', ['stage1', 'stage2']])
def test_gradients_that_are_cut(taps: str | list[str]) -> None:
    with pytest.raises(ValueError, match=r'CutBackbone.*no_grad.*detach'):
        find_taps(CutBackbone(), taps)


class Detailed(ToyBackbone):
    """Reads the image itself once more, after the last stage."""

    def __init__(self) -> None:
        super().__init__()
        self.detail = nn.Sequential(nn.Conv2d(3, 8, 3, 8, 1), nn.ReLU())

    def forward(self, x: Tensor) -> tuple[Tensor]:
        (trunk,) = super().forward(2 * x - 1)
        return (trunk + self.detail(x),)


def test_the_image_is_captured_before_the_first_tap() -> None:
    backbone = Detailed()
    taps, run = find_taps(backbone, ['stage0', 'stage1'])
    assert capture_point(run, taps) == ''
    model = ToyModel(backbone, MLFMNeck(taps=['stage0', 'stage1']))
    assert model(torch.rand(1, 3, 64, 64))[0].shape == (1, 8, 8, 8)
