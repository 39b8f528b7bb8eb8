"""Which axis of a map holds its channels."""

from __future__ import annotations

FIRST, LAST = 'NCHW', 'NHWC'


def layout_of(shape: tuple[int, ...], larger: tuple[int, ...]) -> str:
    """Infer the order of a map's axes.

    Sizes may coincide, as in 64 channels of 64x64 pixels, so the order is
    inferred from which axes grow with the image.

    Args:
        shape (tuple[int, ...]): Shape of a module's output for a square
            image.
        larger (tuple[int, ...]): Its shape for an image twice as high and
            three times as wide; empty where that failed, as with networks of
            one image size. Then the map must be square.

    Returns:
        str: ``'NCHW'`` or ``'NHWC'``; empty for what is not a map, or could
        be either.

    Example:
        >>> layout_of((1, 64, 64, 64), (1, 64, 128, 192))
        'NCHW'
        >>> layout_of((1, 64, 64, 64), (1, 128, 192, 64))
        'NHWC'
        >>> layout_of((1, 64, 64, 64), ())
        ''
    """
    if len(shape) == 4:
        for layout in (FIRST, LAST):
            channels, height, width = (layout.index(axis) for axis in 'CHW')
            if shape[height] != shape[width]:
                continue
            if not larger:
                if shape[width] != shape[channels]:
                    return layout
            elif (
                shape[channels] == larger[channels]
                and shape[height] < larger[height] < larger[width]
            ):
                return layout
    return ''
