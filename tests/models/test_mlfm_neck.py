"""MLFMNeck in whole networks: the options and the wiring."""

import pytest
import torch
from torch import Tensor, nn

from mlfm_mm import MLFMNeck
from tests.hosts import needs_mmseg
from tests.models.builders import (
    CollectingBackbone,
    ToyBackbone,
    ToyModel,
    classifier,
    plain_classifier,
    segmentor,
    shaken,
)
from tests.models.reference import low_low


def toy(**options) -> ToyModel:
    return ToyModel(ToyBackbone(), MLFMNeck(**options))


# ---- what it leaves alone -------------------------------------------------


def test_identity_init_is_bit_identical_to_the_plain_model() -> None:
    plain = shaken(plain_classifier())
    model = classifier(identity_init=True)
    model.init_weights()
    loaded = model.load_state_dict(plain.state_dict(), strict=False)
    assert not loaded.unexpected_keys
    assert all(key.startswith('neck.') for key in loaded.missing_keys)
    image = torch.rand(2, 3, 65, 80)
    for training in (False, True):
        model.train(training), plain.train(training)
        with torch.no_grad():
            assert torch.equal(model(image), plain(image))


def test_every_parameter_learns() -> None:
    model = classifier()
    model.init_weights()
    model.train()
    model(torch.randn(4, 3, 64, 64)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_the_neck_is_a_function_of_what_it_is_given() -> None:
    model = toy().eval()
    a, b = torch.rand(2, 1, 3, 40, 40)
    with torch.no_grad():
        expected = [model(image)[0] for image in (a, b)]
        feats = [model.backbone(image) for image in (a, b)]
        for feat, y in zip(feats, expected, strict=True):
            for _ in range(2):
                assert torch.equal(model.neck(feat)[0], y)


def test_an_image_given_by_keyword() -> None:
    model = toy().eval()
    image = torch.rand(1, 3, 40, 40)
    with torch.no_grad():
        (expected,) = model.backbone(image)
        (found,) = model.backbone(x=image)
    assert torch.equal(found, expected)


def test_synchronized_norms_beside_synchronized_norms() -> None:
    sync, plain = dict(norm_cfg=dict(type='SyncBN')), dict()
    for backbone, expected in (
        (sync, nn.SyncBatchNorm),
        (plain, nn.BatchNorm2d),
    ):
        cfg = dict(type='mmpretrain.ResNet', depth=18, **backbone)
        for unit in classifier(cfg).neck.units:
            assert isinstance(unit.output_gate, expected)
            assert isinstance(unit.input_gate.norm, expected)
    cfg = dict(type='mmpretrain.ResNet', depth=18, **sync)
    unit = classifier(cfg, norm_cfg=dict(type='BN')).neck.units[0]
    assert type(unit.output_gate) is nn.BatchNorm2d


# ---- options --------------------------------------------------------------


@pytest.mark.parametrize('channels', [1, 3, 4, 10])
def test_images_of_any_channels(channels: int) -> None:
    model = ToyModel(ToyBackbone(channels), MLFMNeck())
    assert model.neck.image_channels == channels
    assert model(torch.rand(2, channels, 32, 48))[0].shape == (2, 8, 4, 6)


@pytest.mark.parametrize('size', [(64, 64), (63, 97), (40, 33)])
def test_odd_and_rectangular_sizes(size: tuple[int, int]) -> None:
    model = classifier()
    assert model(torch.rand(2, 3, *size)).shape == (2, 10)


def test_patches_that_round_down() -> None:
    # 225 pixels give 56 patches of 4, and low-passing gives 57.
    model = classifier(
        dict(type='mmpretrain.ConvNeXt', arch='atto'), channels=320
    )
    assert model(torch.rand(1, 3, 225, 226)).shape == (1, 10)


def test_supplement_flags() -> None:
    model = toy(supplement=[True, False, True])
    present = [u.supplement_gate is not None for u in model.neck.units]
    assert present == [True, False, True]
    # The band of the third unit is still low-passed three times.
    seen = {}

    def see(module: nn.Module, inputs: tuple) -> None:
        seen['band'] = inputs[2]

    model.neck.units[2].register_forward_pre_hook(see)
    image = torch.rand(1, 3, 32, 32)
    model(image)
    torch.testing.assert_close(seen['band'], low_low(image, 3))


def test_units_without_an_own_resolution_share_the_band() -> None:
    model = classifier()
    seen = []
    for unit in model.neck.units[1:3]:
        unit.register_forward_pre_hook(lambda _, args: seen.append(args[2]))
    model(torch.rand(1, 3, 64, 64))
    assert seen[0] is seen[1]


def test_any_norm() -> None:
    model = toy(norm_cfg=dict(type='GN', num_groups=2))
    assert isinstance(model.neck.units[0].output_gate, nn.GroupNorm)


def test_listed_taps() -> None:
    model = toy(taps=['stage0', 'stage2'])
    assert [tap.module for tap in model.neck.taps] == ['stage0', 'stage2']
    assert model(torch.rand(1, 3, 32, 32))[0].shape == (1, 8, 4, 4)


def test_a_network_that_was_pickled_earlier() -> None:
    model = toy()
    state = model.neck.__getstate__()
    deepest, _ = state.pop('_bands')
    old = MLFMNeck.__new__(MLFMNeck)
    old.__setstate__({**state, '_deepest': deepest})
    assert old._bands == model.neck._bands


# ---- the neck that follows ------------------------------------------------


@needs_mmseg
def test_a_segmentor_may_have_a_pyramid_behind() -> None:
    pyramid = dict(
        type='FPN',
        in_channels=[64, 128, 256, 512],
        out_channels=16,
        num_outs=4,
    )
    model = segmentor(
        dict(type='mmseg.ResNetV1c', depth=18),
        dict(type='mlfm_mm.MLFMNeck', neck=pyramid),
        in_channels=16,
    )
    features = model.extract_feat(torch.rand(1, 3, 64, 64))
    assert [f.shape[1] for f in features] == [16] * 4


# ---- what users see -------------------------------------------------------


def test_the_table() -> None:
    lines = str(toy().neck).splitlines()
    header = next(line for line in lines if 'parameters' in line)
    assert header.split() == [
        'tap',
        'channels',
        'stride',
        'low-passed',
        'parameters',
    ]
    rows = {line.split()[0]: line.split() for line in lines if line.strip()}
    assert rows['stage1'][1:4] == ['6', '4', '2x']
    total = sum(p.numel() for p in toy().neck.units.parameters())
    assert rows['total'][1] == f'{total:,}'
    assert 'not adopted' in str(MLFMNeck())


def test_maps_that_a_backbone_collects_by_hooks_are_refined() -> None:
    backbone = CollectingBackbone('stage1', 'stage2.2')
    model = ToyModel(backbone, MLFMNeck())
    refined: list[Tensor] = []
    for unit in model.neck.units:
        unit.register_forward_hook(lambda *args: refined.append(args[2][0]))
    maps = model(torch.rand(2, 3, 32, 32))
    assert all(a is b for a, b in zip(maps, refined[1:], strict=True))
    sum(x.square().sum() for x in maps).backward()
    assert all(p.grad is not None for p in model.neck.parameters())
