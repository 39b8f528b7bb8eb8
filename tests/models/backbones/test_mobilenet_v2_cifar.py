"""MobileNetV2 for small images."""

import torch

from mlfm_mm.models.backbones import MobileNetV2_CIFAR


def test_sizes() -> None:
    net = MobileNetV2_CIFAR(widen_factor=0.35, out_indices=range(8))
    sizes = [out.shape[-1] for out in net(torch.rand(1, 3, 32, 32))]
    assert sizes == [32, 32, 16, 8, 8, 4, 4, 4]
