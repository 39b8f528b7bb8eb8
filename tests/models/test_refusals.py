"""What is refused as an image; the rest is in test_mlfm_neck.py."""

import pytest
import torch

from mlfm_mm.models import Tap
from mlfm_mm.models.refusals import check_image

STEM, STAGE = Tap('stem', 4, 2), Tap('stage', 6, 4)


def test_images_that_are_none() -> None:
    image = torch.zeros(1, 3, 8, 8)
    check_image(image, 3, [STEM, STAGE])
    with pytest.raises(TypeError, match=r'torch\.uint8'):
        check_image(image.byte(), 3, [STEM, STAGE])
    with pytest.raises(ValueError, match=r'\(N, 4, H, W\)'):
        check_image(image, 4, [STEM, STAGE])
    with pytest.raises(ValueError, match='at least 3'):
        check_image(image[..., :2], 3, [STEM, STAGE])
