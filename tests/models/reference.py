"""The low-low band by PyWavelets, which shares no code with the package."""

import pywt
import torch
from torch import Tensor


def low_low(x: Tensor, times: int = 1, wavelet: str = 'haar') -> Tensor:
    """The LL band after ``times`` levels; a gradient does not flow."""
    for _ in range(times):
        band, _ = pywt.dwt2(x.numpy(), wavelet, mode='periodization')
        x = torch.from_numpy(band)
    return x
