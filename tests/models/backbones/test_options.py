"""What the comparison with timm does not see."""

import pytest
import torch
from torch import nn

from mlfm_mm.models.backbones import (
    InceptionNeXt,
    LeanConvNeXt,
    MobileNetV2_CIFAR,
    RegNetY,
    ShallowSEResNet,
)

from .pairing import randomize


@pytest.mark.parametrize(
    ('net', 'options'),
    [
        (ShallowSEResNet, dict(depth=10)),
        (RegNetY, dict(arch='regnety_200mf')),
    ],
)
def test_recomputed_blocks_give_the_same_gradients(
    net: type[nn.Module], options: dict
) -> None:
    image = torch.rand(2, 3, 32, 32, dtype=torch.float64)
    gradients = []
    for with_cp in (False, True):
        model = randomize(net(with_cp=with_cp, **options).double())
        model.train()
        model(image.clone().requires_grad_())[-1].square().sum().backward()
        gradients.append([p.grad for p in model.parameters()])
    for plain, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, recomputed)


def test_stages_of_inception_next() -> None:
    net = InceptionNeXt(out_indices=(0, 1, 2, 3), drop_path_rate=0.2)
    shapes = [tuple(out.shape) for out in net(torch.rand(1, 3, 64, 64))]
    assert shapes == [
        (1, 96, 16, 16),
        (1, 192, 8, 8),
        (1, 384, 4, 4),
        (1, 768, 2, 2),
    ]
    rates = [m.drop_prob for m in net.modules() if hasattr(m, 'drop_prob')]
    assert rates == pytest.approx([0.2 * i / 17 for i in range(18)])


def test_init_weights_of_inception_next() -> None:
    net = InceptionNeXt()
    net.init_weights()
    block = net.stages[2][-1]
    assert block.fc1.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not block.fc1.bias.any()
    assert block.gamma.tolist() == pytest.approx([1e-6] * 384)


def test_mobilenet_v2_for_small_images() -> None:
    net = MobileNetV2_CIFAR(widen_factor=0.35, out_indices=range(8))
    sizes = [out.shape[-1] for out in net(torch.rand(1, 3, 32, 32))]
    assert sizes == [32, 32, 16, 8, 8, 4, 4, 4]


def test_frozen_stages_hold_no_trainable_kernel() -> None:
    net = LeanConvNeXt(kernel_size=3, divisor=2, frozen_stages=1)
    assert not any(p.requires_grad for p in net.stages[0].parameters())
    assert all(p.requires_grad for p in net.stages[1].parameters())


@pytest.mark.parametrize('options', [dict(kernel_size=4), dict(divisor=0)])
def test_kernels_that_do_not_exist(options: dict) -> None:
    with pytest.raises(ValueError, match='odd'):
        LeanConvNeXt(**options)


def test_unknown_size_of_inception_next() -> None:
    with pytest.raises(ValueError, match=r"'huge' is unknown.*'tiny'"):
        InceptionNeXt('huge')
