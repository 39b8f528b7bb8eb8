"""ResNet of ten layers against timm's."""

from mlfm_mm.models.backbones import ShallowResNet

from .pairing import check_same_output, timm_resnet


def test_same_output_as_timm() -> None:
    check_same_output(ShallowResNet(10), timm_resnet((1, 1, 1, 1)))
