"""Which axis of a map holds its channels, and which follow the image."""

from __future__ import annotations

FIRST, LAST = 'NCHW', 'NHWC'


def layout_of(shape: tuple[int, ...], larger: tuple[int, ...]) -> str:
    """Tell how the axes of a map are ordered.

    Numbers may coincide, as in 64 channels of 64x64 pixels. What tells is
    which axes grow with the image, and how.

    Args:
        shape (tuple[int, ...]): Shape of what a module made of a square
            image.
        larger (tuple[int, ...]): Shape of what it made of one twice as high
            and three times as wide; empty where that could not be tried, as
            with networks of one image size. Then a map must be square.

    Returns:
        str: ``'NCHW'`` or ``'NHWC'``; empty for what is no map, or could be
        in either layout.

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
