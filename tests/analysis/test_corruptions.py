from pathlib import Path

import cv2
import numpy as np
import pytest
import pywt

from mlfm_mm.analysis.corruptions import CORRUPTIONS, Corruption
from mlfm_mm.engine import UsageError

IMAGE = np.random.default_rng(0).integers(0, 256, (48, 32, 3), np.uint8)


def corrupt(family: str, strength: float, image: np.ndarray) -> np.ndarray:
    return Corruption(family, strength)(dict(img=image.copy()))['img']


@pytest.mark.parametrize('level', [1, 2, 3])
def test_low_pass_is_the_haar_band(level: int) -> None:
    bands = pywt.wavedec2(
        IMAGE.astype(float), 'haar', 'periodization', level, axes=(0, 1)
    )
    zeros = [tuple(np.zeros_like(b) for b in bs) for bs in bands[1:]]
    expected = pywt.waverec2(
        [bands[0], *zeros], 'haar', 'periodization', axes=(0, 1)
    )
    found = corrupt('low_pass', 2**level, IMAGE)
    assert np.abs(found - expected).max() <= 0.5 + 1e-6


def test_low_pass_of_an_odd_size() -> None:
    found = corrupt('low_pass', 2, IMAGE[:47, :31])
    assert found.shape == (47, 31, 3) and found.dtype == np.uint8


def test_high_pass_is_what_low_pass_takes() -> None:
    grey = IMAGE // 4 + 96  # so that nothing is clipped
    low, high = (corrupt(f'{f}_pass', 4, grey) for f in ('low', 'high'))
    assert np.array_equal(low.astype(int) + high - 128, grey)


def test_noise_has_its_deviation_and_depends_on_the_picture_alone() -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    noisy = corrupt('noise', 20, grey)
    assert abs(np.std(noisy.astype(float)) - 20) < 0.3
    assert abs(np.mean(noisy.astype(float)) - 128) < 0.3
    assert np.array_equal(noisy, corrupt('noise', 20, grey))
    other = corrupt('noise', 20, grey + 1).astype(int)
    assert np.abs(other - noisy - 1).max() > 10


def test_blur_keeps_the_mean_and_widens_a_point() -> None:
    point = np.zeros((65, 65, 3), np.uint8)
    point[32, 32] = 255
    wide = corrupt('blur', 2, point)[..., 0].astype(float)
    offsets = np.arange(65) - 32
    gauss = np.exp(-(offsets**2) / 8)
    expected = 255 * np.outer(gauss, gauss) / gauss.sum() ** 2
    assert np.abs(wide - expected).max() < 1


def test_jpeg_is_what_a_file_would_hold(tmp_path: Path) -> None:
    file = str(tmp_path / 'x.jpg')
    cv2.imwrite(file, IMAGE, [int(cv2.IMWRITE_JPEG_QUALITY), 25])
    assert np.array_equal(corrupt('jpeg', 25, IMAGE), cv2.imread(file))


@pytest.mark.parametrize('family', ['low_pass', 'high_pass', 'blur', 'jpeg'])
def test_grey_pictures(family: str) -> None:
    found = corrupt(family, 2, IMAGE[..., 0])
    assert found.shape == (48, 32) and found.dtype == np.uint8


@pytest.mark.parametrize('family', ['low_pass', 'high_pass', 'noise', 'blur'])
@pytest.mark.parametrize('channels', [1, 5])
def test_channels_are_corrupted_alike(family: str, channels: int) -> None:
    """OpenCV drops the axis of a single one, and refuses five at times."""
    grey = IMAGE[:47, :31, :1]
    found = corrupt(family, 16, np.repeat(grey, channels, axis=2))
    assert found.shape == (47, 31, channels)
    if family != 'noise':
        alone = corrupt(family, 16, grey[..., 0])
        assert all(np.array_equal(c, alone) for c in np.rollaxis(found, 2))


def test_stronger_corruptions_take_more() -> None:
    y, x = np.mgrid[:64, :64]
    wave = 128 + 60 * np.sin(x / 3) * np.cos(y / 4)
    picture = np.repeat(wave[..., None], 3, axis=2).astype(np.uint8)
    lost: dict[str, list[float]] = {}
    for c in CORRUPTIONS:
        error = c(dict(img=picture))['img'].astype(float) - picture
        lost.setdefault(c.family, []).append(float(np.square(error).mean()))
    assert all(values == sorted(values) for values in lost.values())


def test_what_no_jpeg_file_holds() -> None:
    with pytest.raises(UsageError, match='no JPEG file holds 4 channels'):
        corrupt('jpeg', 25, np.repeat(IMAGE[..., :1], 4, axis=2))


def test_unknown_family() -> None:
    with pytest.raises(UsageError, match='choose one of low_pass, high_pass'):
        Corruption('fog', 1)


def test_pictures_that_are_normalized_already() -> None:
    with pytest.raises(UsageError, match=r'makes them float32: leave norm'):
        corrupt('blur', 2, IMAGE.astype(np.float32) / 255)
