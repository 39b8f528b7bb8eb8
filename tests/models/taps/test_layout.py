"""Which axes of a map are which."""

import pytest
from torch import nn

from mlfm_mm.models.taps.layout import layout_of
from mlfm_mm.models.taps.recorder import Call


@pytest.mark.parametrize(
    ('shape', 'larger', 'layout', 'maps'),
    [
        ((1, 8, 4, 4), (1, 8, 8, 12), 'NCHW', (1, 8, 4, 4)),
        ((1, 4, 4, 4), (1, 4, 8, 12), 'NCHW', (1, 4, 4, 4)),
        ((1, 4, 4, 4), (1, 8, 12, 4), 'NHWC', (1, 4, 4, 4)),
        ((1, 4, 4, 8), (1, 8, 12, 8), 'NHWC', (1, 8, 4, 4)),
        # Sizes that valid convolutions leave.
        ((1, 8, 6, 6), (1, 8, 14, 22), 'NCHW', (1, 8, 6, 6)),
        # Transposed maps, attention, and what does not follow the image.
        ((1, 8, 4, 4), (1, 8, 12, 8), '', ()),
        ((1, 4, 4, 4), (1, 12, 8, 4), '', ()),
        ((1, 8, 16, 16), (1, 8, 96, 96), '', ()),
        ((8, 4, 64, 196), (8, 24, 64, 196), '', ()),
        ((1, 8, 7, 7), (1, 8, 7, 7), '', ()),
        ((1, 8, 4), (1, 8, 24), '', ()),
        # Where only one size can be tried.
        ((1, 8, 4, 4), (), 'NCHW', (1, 8, 4, 4)),
        ((1, 4, 4, 8), (), 'NHWC', (1, 8, 4, 4)),
        ((1, 4, 4, 4), (), '', ()),
    ],
)
def test_layouts(
    shape: tuple, larger: tuple, layout: str, maps: tuple
) -> None:
    call = Call('', nn.Identity(), 0, shape=shape, larger=larger)
    assert layout_of(shape, larger) == call.layout == layout
    assert call.map_shape == maps and call.is_map == bool(layout)
