import pytest
import torch
from torch import nn

from mlfm_mm import MLFMNeck
from mlfm_mm.analysis.complexity import (
    backbone_of,
    image_channels,
    measure_complexity,
    memory_of,
)
from mlfm_mm.engine import UsageError
from tests.models.builders import ToyBackbone, ToyModel, classifier


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
    # Norm and pooling cost no multiply-adds.
    assert complexity.macs == 16 * 20 * 8 * 27 + 8 * 5


def test_the_network_of_the_quickstart_by_hand() -> None:
    backbone = dict(
        type='mmpretrain.ResNet_CIFAR',
        depth=18,
        stem_channels=16,
        base_channels=16,
    )
    # The stem; a stage of four convolutions; three that begin with a stride
    # of 2, where the map has a quarter of the pixels and the shortcut a 1x1
    # convolution of its own; the classifier.
    stem = 32 * 32 * 16 * 27
    full = 32 * 32 * 16 * 16 * 9
    stage = full // 2 + 3 * full + full // 2 // 9
    macs = stem + 4 * full + 3 * stage + 128 * 10
    assert f'{macs / 1e6:.1f}' == '35.0'
    model = classifier(
        backbone, 128, dict(type='mmpretrain.GlobalAveragePooling')
    )
    assert measure_complexity(model, (32, 32)).macs == macs
    # Five units: memory 3, 16, 16, 32, 64 channels, image 3.
    added = sum(
        size * size * channels * (memory + 27)
        for size, channels, memory in (
            (32, 16, 3), (32, 16, 16), (16, 32, 16), (8, 64, 32), (4, 128, 64)
        )
    )  # fmt: skip
    model = classifier(backbone, 128)
    assert measure_complexity(model, (32, 32)).macs == macs + added
    assert f'{(macs + added) / 1e6:.1f}' == '37.0'


def test_where_hosts_keep_their_backbones() -> None:
    inner = nn.Conv2d(1, 8, 3, 2)
    plain, timm, retriever = nn.Module(), nn.Module(), nn.Module()
    plain.backbone = timm.model = inner
    retriever.image_encoder = plain
    for model in (plain, timm, retriever):
        assert backbone_of(model) is inner and image_channels(model) == 1
    with pytest.raises(UsageError, match='Linear has no backbone'):
        backbone_of(nn.Linear(1, 1))


def test_a_memory_among_several_necks() -> None:
    necks = nn.Sequential(MLFMNeck(), nn.Identity())
    model = ToyModel(ToyBackbone(), necks)
    assert memory_of(model) is necks[0] and image_channels(model) == 3
    assert memory_of(make_model()) is None
    assert image_channels(make_model()) == 3  # there is no backbone


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
