"""ConvNeXt with smaller depthwise kernels, for all or the last channels."""

import pytest

from mlfm_mm.models.backbones import LeanConvNeXt

from .pairing import check_same_output


@pytest.mark.parametrize(
    ('kernel_size', 'divisor'),
    # Channels that pass through are channels with a kernel of one 1.
    [(3, 1), (5, 1), (3, 2), (3, 8)],
)
def test_same_output_as_timm(kernel_size: int, divisor: int) -> None:
    convnext = pytest.importorskip('timm.models.convnext')
    theirs = convnext.ConvNeXt(num_classes=0, kernel_sizes=kernel_size)
    ours = LeanConvNeXt(kernel_size=kernel_size, divisor=divisor)
    check_same_output(ours, theirs)


def test_frozen_stages_hold_no_trainable_kernel() -> None:
    net = LeanConvNeXt(kernel_size=3, divisor=2, frozen_stages=1)
    assert not any(p.requires_grad for p in net.stages[0].parameters())
    assert all(p.requires_grad for p in net.stages[1].parameters())


@pytest.mark.parametrize('options', [dict(kernel_size=4), dict(divisor=0)])
def test_kernels_that_do_not_exist(options: dict) -> None:
    with pytest.raises(ValueError, match='odd'):
        LeanConvNeXt(**options)


def test_a_part_that_is_none() -> None:
    with pytest.raises(ValueError, match='none of 96 channels'):
        LeanConvNeXt(divisor=128)
