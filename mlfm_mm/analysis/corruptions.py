"""Corrupt pictures: low-pass, high-pass, noise, blur and compression."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ..engine import UsageError


def low_pass(image: np.ndarray, factor: float) -> np.ndarray:
    """Keep the mean of each block: the Haar low band alone."""
    height, width = image.shape[:2]
    small = (-(-width // int(factor)), -(-height // int(factor)))
    bands = []
    # OpenCV may resize no more than four channels at once.
    for channel in cv2.split(image):
        means = cv2.resize(channel, small, interpolation=cv2.INTER_AREA)
        band = cv2.resize(
            means, (width, height), interpolation=cv2.INTER_NEAREST
        )
        bands.append(band)
    return np.stack(bands, -1).reshape(image.shape)


def high_pass(image: np.ndarray, factor: float) -> np.ndarray:
    """Keep the differences from the mean of each block, around grey."""
    low = low_pass(image, factor).astype(int)
    return np.clip(image - low + 128, 0, 255).astype(image.dtype)


def noise(image: np.ndarray, deviation: float) -> np.ndarray:
    """Add Gaussian noise, seeded by the picture alone."""
    rng = np.random.default_rng(zlib.crc32(image.tobytes()))
    noisy = image + rng.normal(0, deviation, image.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(image.dtype)


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur by a Gaussian."""
    return cv2.GaussianBlur(image, (0, 0), sigma)


def jpeg(image: np.ndarray, quality: float) -> np.ndarray:
    """Compress and decompress."""
    if image.shape[2:] not in ((), (1,), (3,)):
        raise UsageError(
            f'no JPEG file holds {image.shape[2]} channels: choose other '
            'families, by --only'
        )
    options = [int(cv2.IMWRITE_JPEG_QUALITY), int(quality)]
    _, data = cv2.imencode('.jpg', image, options)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED))


FAMILIES: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    family.__name__: family
    for family in (low_pass, high_pass, noise, blur, jpeg)
}


@dataclass(frozen=True)
class Corruption:
    """A transform of a test pipeline that corrupts a picture.

    Args:
        family (str): ``'low_pass'`` (means over blocks of ``strength``
            pixels), ``'high_pass'`` (the differences from these means, around
            grey), ``'noise'`` (Gaussian, its standard deviation in grey
            levels of 255), ``'blur'`` (Gaussian, its standard deviation in
            pixels) or ``'jpeg'`` (``strength`` is the quality).
        strength (float): How strong, in the unit that the family names.

    Raises:
        UsageError: If the family is unknown, or when called, if the pictures
            are not of uint8.

    Example:
        >>> import numpy as np
        >>> image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
        >>> Corruption('low_pass', 2)(dict(img=image))['img'][0, 0]
        array([5, 6, 7], dtype=uint8)
        >>> print(Corruption('low_pass', 2))
        low_pass 2
    """

    family: str
    strength: float

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise UsageError(
                f'corruption {self.family!r} is unknown: choose one of '
                f'{", ".join(FAMILIES)}'
            )

    def __call__(self, results: dict) -> dict:
        """Corrupt ``img`` of a sample, (H, W) or (H, W, C) of uint8."""
        image = results['img']
        if image.dtype != np.uint8:
            raise UsageError(
                f'{self} is for pictures of uint8, but the test pipeline '
                f'makes them {image.dtype}: leave normalizing to '
                'data_preprocessor'
            )
        corrupted = FAMILIES[self.family](image, self.strength)
        results['img'] = corrupted.reshape(image.shape)
        return results

    def __str__(self) -> str:
        return f'{self.family} {self.strength:g}'


CORRUPTIONS = tuple(
    Corruption(family, strength)
    for family, strengths in dict(
        low_pass=(2, 4, 8),
        high_pass=(16, 8, 4),
        noise=(10, 20, 40),
        blur=(0.5, 1, 2),
        jpeg=(50, 25, 10),
    ).items()
    for strength in strengths
)
