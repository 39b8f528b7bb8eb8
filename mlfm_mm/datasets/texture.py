"""Grain over pictures, so that only their low bands show their class."""

import zlib

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from ..registry import TRANSFORMS

GREY = 128.0


@TRANSFORMS.register_module()
class AddTexture(BaseTransform):
    """Fade a picture, and lay a fine random texture over it.

    The texture is grey Gaussian noise minus its mean in each block of 2x2
    pixels, so that its own Haar LL band is zero. It depends on the picture
    alone: a test picture gets the same one every time, a training picture
    another one with each crop.

    Required keys: ``img``. Modified keys: ``img``.

    Args:
        strength (float): Standard deviation of the noise, in grey levels of
            255. Defaults to 50.
        contrast (float): What is left of the picture's contrast, which makes
            room for the texture. Defaults to 0.15.

    Example:
        >>> import numpy as np
        >>> image = np.full((4, 4, 3), 128, np.uint8)
        >>> textured = AddTexture(strength=20)(dict(img=image))['img']
        >>> bool(textured.std() > 5), round(textured[:2, :2].mean())
        (True, 128)
    """

    def __init__(self, strength: float = 50, contrast: float = 0.15) -> None:
        self.strength = strength
        self.contrast = contrast

    def transform(self, results: dict) -> dict:
        """Change the picture.

        Args:
            results (dict): ``img``, an array (H, W, 3) of uint8.

        Returns:
            dict: The same, with the new ``img``.
        """
        image = results['img']
        pale = GREY + self.contrast * (image - GREY)
        textured = pale + self.strength * fine_noise(image)[..., None]
        results['img'] = np.clip(np.rint(textured), 0, 255).astype(image.dtype)
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(strength={self.strength}, '
            f'contrast={self.contrast})'
        )


def fine_noise(image: np.ndarray) -> np.ndarray:
    """Draw noise whose Haar LL band is zero, seeded by the picture.

    Args:
        image (np.ndarray): The picture (H, W, C).

    Returns:
        np.ndarray: The noise (H, W). Its mean in blocks of 2x2 is zero.
    """
    height, width = image.shape[:2]
    rng = np.random.default_rng(zlib.crc32(image.tobytes()))
    noise = rng.standard_normal((height, width))
    half = (-(-width // 2), -(-height // 2))
    even = cv2.copyMakeBorder(
        noise, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE
    )
    means = cv2.resize(even, half, interpolation=cv2.INTER_AREA)
    return noise - np.repeat(np.repeat(means, 2, 0), 2, 1)[:height, :width]
