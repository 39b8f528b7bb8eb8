"""Sliding windows: many passes of different sizes over one image."""

import pytest
import torch
from mmengine.config import ConfigDict
from torch import Tensor, nn

from tests.hosts import needs_mmseg
from tests.models.builders import segmentor, shaken

pytestmark = needs_mmseg
RESNET = dict(
    type='mmseg.ResNetV1c', depth=18, base_channels=8, stem_channels=8
)
META = [dict(ori_shape=(75, 97), img_shape=(75, 97))]


def build() -> nn.Module:
    neck = dict(type='mlfm_mm.MLFMNeck')
    return shaken(segmentor(RESNET, neck, in_channels=64)).eval()


def by_hand(model: nn.Module, image: Tensor, size: tuple, stride: tuple):
    """Average the logits of all windows, each from a pass of its own."""
    height, width = image.shape[-2:]
    total = torch.zeros(1, 3, height, width)
    count = torch.zeros(1, 1, height, width)

    def starts(length: int, window: int, step: int) -> list[int]:
        windows = max(length - window + step - 1, 0) // step + 1
        return [
            max(min(i * step + window, length) - window, 0)
            for i in range(windows)
        ]

    for y in starts(height, size[0], stride[0]):
        for x in starts(width, size[1], stride[1]):
            rows, columns = slice(y, y + size[0]), slice(x, x + size[1])
            crop = image[..., rows, columns]
            meta = [dict(ori_shape=crop.shape[2:], img_shape=crop.shape[2:])]
            total[..., rows, columns] += model.encode_decode(crop, meta)
            count[..., rows, columns] += 1
    return total / count


@pytest.mark.parametrize(
    ('size', 'stride'),
    [((48, 64), (32, 40)), ((64, 49), (33, 25)), ((96, 80), (64, 40))],
)
def test_windows_equal_passes_of_their_own(size: tuple, stride: tuple) -> None:
    model = build()
    model.test_cfg = ConfigDict(mode='slide', crop_size=size, stride=stride)
    image = torch.randn(1, 3, 75, 97)
    with torch.no_grad():
        torch.testing.assert_close(
            model.inference(image, META), by_hand(model, image, size, stride)
        )
