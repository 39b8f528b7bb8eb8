"""RegNetY, and mmpretrain's RegNetX of the paper's sizes, against timm's."""

import pytest
from mmpretrain.models import RegNet

from mlfm_mm.models.backbones import RegNetY

from .pairing import check_same_output

timm = pytest.importorskip('timm')


@pytest.mark.parametrize('size', [200, 400, 600, 800])
def test_regnet_y(size: int) -> None:
    theirs = timm.create_model(f'regnety_{size // 100:03}', num_classes=0)
    check_same_output(RegNetY(f'regnety_{size}mf'), theirs)


@pytest.mark.parametrize(
    ('name', 'arch'),
    [
        ('regnetx_002', dict(w0=24, wa=36.44, wm=2.49, group_w=8, depth=13)),
        ('regnetx_006', dict(w0=48, wa=36.97, wm=2.24, group_w=24, depth=16)),
    ],
)
def test_regnet_x(name: str, arch: dict) -> None:
    theirs = timm.create_model(name, num_classes=0)
    check_same_output(RegNet(dict(arch, bot_mul=1.0)), theirs)
