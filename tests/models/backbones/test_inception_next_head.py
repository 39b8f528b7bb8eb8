"""InceptionNeXt with its own head, against timm's."""

import pytest
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mlfm_mm.models.backbones import InceptionNeXt, InceptionNeXtHead

from .pairing import check_same_output


class WithHead(nn.Module):
    """The whole classifier, as timm has it."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = InceptionNeXt()
        self.head = InceptionNeXtHead(1000, 768)

    def forward(self, x: Tensor) -> Tensor:
        feature = self.backbone(x)[-1]
        return self.head((feature.mean((2, 3)),))


def test_same_output_as_timm() -> None:
    timm = pytest.importorskip('timm')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        ours = WithHead()
    check_same_output(ours, timm.create_model('inception_next_tiny'))
