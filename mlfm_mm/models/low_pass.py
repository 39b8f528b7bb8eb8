"""The forget gate's filter: one level of the low-low wavelet band."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..registry import MODELS
from .haar import haar_low_low


def low_pass_filter(wavelet: str) -> tuple[float, ...] | None:
    """Look up the decomposition low-pass filter of a discrete wavelet.

    Args:
        wavelet (str): A name that PyWavelets knows, such as ``'db2'``.

    Returns:
        tuple[float, ...] | None: The filter's coefficients, always of even
        number; None for Haar, which is a pooling and needs no filter.

    Raises:
        ImportError: PyWavelets is absent and the wavelet is not Haar.
        ValueError: There is no discrete wavelet of that name.

    Example:
        >>> low_pass_filter('haar') is None
        True
    """
    if wavelet in ('haar', 'db1'):
        return None
    try:
        import pywt
    except ImportError as error:
        raise ImportError(
            f'wavelet={wavelet!r} needs PyWavelets, which is not installed: '
            "run `pip install PyWavelets`, or use wavelet='haar', which "
            'needs no library.'
        ) from error
    known = pywt.wavelist(kind='discrete')
    if wavelet not in known:
        raise ValueError(
            f'wavelet={wavelet!r} is not a discrete wavelet; choose one of '
            f'{", ".join(known)}.'
        )
    return tuple(float(c) for c in pywt.Wavelet(wavelet).dec_lo)


@MODELS.register_module()
class LowPass(nn.Module):
    """Keep the low-low band of one level of the 2-D wavelet transform.

    It equals the approximation band of PyWavelets' ``dwt2`` in
    ``'periodization'`` mode with orthonormal filters, so a constant map
    doubles. It has no parameter and no buffer. The source is the forget gate
    of MLFM (https://arxiv.org/abs/2403.08157).

    Args:
        wavelet (str): Name of a discrete wavelet of PyWavelets. Haar needs
            no library. Defaults to ``'haar'``.

    Raises:
        ImportError: PyWavelets is absent and the wavelet is not Haar.
        ValueError: There is no discrete wavelet of that name.

    Example:
        >>> import torch
        >>> from mlfm_mm import LowPass
        >>> band = LowPass('haar')(torch.ones(1, 3, 5, 8))
        >>> band.shape, band.unique().item()
        (torch.Size([1, 3, 3, 4]), 2.0)
    """

    def __init__(self, wavelet: str = 'haar') -> None:
        super().__init__()
        self.wavelet = wavelet
        # Plain numbers, not a buffer: `model.half().double()` would round a
        # buffer, and a checkpoint has no business with constants.
        self.filter = low_pass_filter(wavelet)

    def forward(self, x: Tensor) -> Tensor:
        """Halve the resolution, keeping what varies slowly.

        Args:
            x (Tensor): Maps of shape (N, C, H, W).

        Returns:
            Tensor: Maps of shape (N, C, ceil(H / 2), ceil(W / 2)).
        """
        if self.filter is None:
            return haar_low_low(x)
        taps = x.new_tensor(self.filter)
        return _halve(_halve(x, taps, dim=2), taps, dim=3)

    def extra_repr(self) -> str:
        """Name the wavelet in ``print(module)``."""
        return f'wavelet={self.wavelet!r}'


def _halve(x: Tensor, taps: Tensor, dim: int) -> Tensor:
    """Filter and decimate one axis: y_k = sum_j f_j x_(2k + F/2 - j)."""
    size, length = x.size(dim), taps.numel()
    even = size + size % 2
    # Positions run round the even-sized period; where the size is odd, the
    # period's last sample is the last one again.
    position = torch.arange(
        1 - length // 2, even + length // 2 - 1, device=x.device
    )
    wrapped = (position % even).clamp(max=size - 1)
    x = x.index_select(dim, wrapped)
    # Depth-wise, as one channel of a larger batch; convolution in the sense
    # of deep learning runs the filter backwards.
    weight = taps.flip(0).view(1, 1, -1, 1)
    step = [2, 1]
    if dim == 3:
        weight, step = weight.transpose(2, 3), [1, 2]
    n, c, h, w = x.shape
    y = F.conv2d(x.reshape(n * c, 1, h, w), weight, stride=step)
    return y.reshape(n, c, *y.shape[-2:])
