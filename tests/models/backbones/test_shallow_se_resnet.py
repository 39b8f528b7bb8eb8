"""SE-ResNet of basic blocks against timm's."""

import pytest

from mlfm_mm.models.backbones import ShallowSEResNet

from .pairing import check_same_output, timm_resnet


@pytest.mark.parametrize(
    ('depth', 'layers'),
    [(10, (1, 1, 1, 1)), (18, (2, 2, 2, 2)), (34, (3, 4, 6, 3))],
)
def test_same_output_as_timm(depth: int, layers: tuple[int, ...]) -> None:
    theirs = timm_resnet(layers, gated=True)
    check_same_output(ShallowSEResNet(depth), theirs)
