"""Modules that are converted, fused, frozen or deployed under the neck."""

import pytest
import torch
from mmcv.cnn import fuse_conv_bn
from mmengine.model import (
    convert_sync_batchnorm,
    is_model_wrapper,
    revert_sync_batchnorm,
)
from torch import nn

from tests.models.builders import classifier, shaken
from tests.robustness.models import NARROW, images, narrow, step

BACKBONES = {
    'ResNet': (NARROW, 64),
    'MobileNetV2': (
        dict(type='mmpretrain.MobileNetV2', widen_factor=0.25),
        1280,
    ),
    'RegNet': (dict(type='mmpretrain.RegNet', arch='regnetx_400mf'), 384),
}


@pytest.mark.parametrize('name', BACKBONES)
def test_fused_norms(name: str) -> None:
    model = shaken(classifier(*BACKBONES[name])).eval()
    x = images(2, 3, 64, 64)
    with torch.no_grad():
        expected = model(x)
        fused = fuse_conv_bn(model)
        torch.testing.assert_close(fused(x), expected, rtol=1e-4, atol=1e-4)
    gates = [unit.input_gate.bn for unit in fused.neck.units]
    assert all(isinstance(gate, nn.Identity) for gate in gates)
    # The output gate stands behind a sum, which no convolution can absorb.
    assert isinstance(fused.neck.units[0].output_gate, nn.BatchNorm2d)


def test_sync_norms_and_back() -> None:
    model = shaken(narrow()).eval()
    x = images()
    with torch.no_grad():
        expected = model(x)
        converted = convert_sync_batchnorm(model)
        kinds = {type(m) for m in converted.neck.modules()}
        assert nn.SyncBatchNorm in kinds and nn.BatchNorm2d not in kinds
        reverted = revert_sync_batchnorm(converted).eval()
        assert torch.equal(reverted(x), expected)
    assert not is_model_wrapper(reverted)


@pytest.mark.parametrize('stages', [1, 4])
def test_frozen_stages(stages: int) -> None:
    model = narrow(dict(frozen_stages=stages)).train()
    model.train()
    step(model, images())
    for name, parameter in model.backbone.named_parameters():
        assert (parameter.grad is None) == (not parameter.requires_grad), name
    assert model.backbone.conv1.weight.grad is None
    for name, parameter in model.neck.named_parameters():
        assert parameter.grad is not None, name


def test_norm_eval() -> None:
    model = narrow(dict(norm_eval=True)).train()
    before = {k: b.clone() for k, b in model.backbone.named_buffers()}
    step(model, images())
    for name, buffer in model.backbone.named_buffers():
        assert torch.equal(buffer, before[name]), name
    assert model.neck.units[0].output_gate.num_batches_tracked == 1


@pytest.mark.parametrize(
    ('backbone', 'channels'),
    [
        (dict(type='mmpretrain.RepVGG', arch='A0'), 1280),
        (dict(type='mmpretrain.MobileOne', arch='s0'), 1024),
    ],
    ids=['RepVGG', 'MobileOne'],
)
def test_deployed_branches(backbone: dict, channels: int) -> None:
    model = shaken(classifier(backbone, channels)).eval()
    x = images(1, 3, 64, 64)
    with torch.no_grad():
        expected = model(x)
        model.backbone.switch_to_deploy()
        scale = expected.abs().max()
        error = (model(x) - expected).abs().max()
        assert error <= 1e-4 * scale


def test_a_tap_replaced_by_another_module_is_noticed() -> None:
    model = narrow().eval()
    model.backbone.relu = nn.ReLU()
    with pytest.raises(RuntimeError, match="'maxpool' was called when 'relu'"):
        model(images())


def test_a_capture_point_replaced_is_noticed() -> None:
    model = narrow().eval()
    model.backbone.conv1 = nn.Conv2d(3, 8, 7, 2, 3)
    with pytest.raises(RuntimeError, match=r'first module.* was replaced'):
        model(images())


def test_quantization_aware_training() -> None:
    model = narrow().train()
    model.qconfig = torch.ao.quantization.get_default_qat_qconfig('x86')
    prepared = torch.ao.quantization.prepare_qat(model)
    step(prepared, images())
    for name, parameter in prepared.neck.named_parameters():
        assert parameter.grad is not None, name
