"""The texture is in the high bands, and a picture's own."""

import numpy as np
import pytest
import pywt
from mmengine.registry import TRANSFORMS, DefaultScope

from mlfm_mm.datasets import AddTexture

GREY = np.full((32, 48, 3), 128, np.uint8)


def textured(image: np.ndarray, **options: float) -> np.ndarray:
    return AddTexture(**options)(dict(img=image.copy()))['img']


def low_band(image: np.ndarray) -> np.ndarray:
    return pywt.dwt2(image[..., 0], 'haar', 'periodization')[0] / 2


def test_the_low_band_stays() -> None:
    ramp = np.linspace(0, 255, 48).astype(np.uint8)
    picture = np.repeat(np.tile(ramp, (32, 1))[..., None], 3, axis=2)
    found = low_band(textured(picture, strength=20, contrast=0.5))
    expected = low_band(128 + 0.5 * (picture - 128.0))
    # Each of four pixels is rounded.
    assert np.abs(found - expected).max() <= 0.5


@pytest.mark.parametrize('size', [(32, 48), (31, 47), (1, 1)])
def test_strength(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 128, np.uint8)
    found = textured(image, strength=20)
    assert found.shape == image.shape and found.dtype == np.uint8
    if min(size) > 1:
        # Three of the four bands are left of white noise.
        assert found.std() == pytest.approx(20 * 0.75**0.5, rel=0.1)


def test_a_picture_has_its_own_texture() -> None:
    assert np.array_equal(textured(GREY), textured(GREY))
    noise = textured(GREY).astype(int) - 128
    other = textured(GREY + 1).astype(int) - 128
    assert np.abs(noise - other).max() > 10


def test_built_from_a_config() -> None:
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        built = TRANSFORMS.build(dict(type='mlfm_mm.AddTexture', strength=9))
    assert repr(built) == 'AddTexture(strength=9, contrast=0.15)'
