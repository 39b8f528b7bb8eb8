"""The low-low wavelet band, and the forget gate that keeps nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..registry import MODELS


def low_pass_filter(
    wavelet: str, inverse: bool = False
) -> tuple[float, ...] | None:
    """Look up a low-pass filter of a discrete wavelet.

    Args:
        wavelet (str): A name that PyWavelets knows, such as ``'db2'``.
        inverse (bool): Whether it is the one of the inverse transform.
            Defaults to False.

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
    found = pywt.Wavelet(wavelet)
    return tuple(map(float, found.rec_lo if inverse else found.dec_lo))


@MODELS.register_module()
class LowPass(nn.Module):
    """Keep the low-low band of one level of the 2-D wavelet transform.

    It equals the approximation band of PyWavelets' ``dwt2`` in
    ``'periodization'`` mode with orthonormal filters, so a constant map
    doubles. It has no parameters and no buffers. MLFM
    (https://arxiv.org/abs/2403.08157) uses it as its forget gate.

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
        # buffer, and constants do not belong in a checkpoint.
        self.filter = low_pass_filter(wavelet)

    def forward(self, x: Tensor) -> Tensor:
        """Halve the resolution, keeping what varies slowly.

        Args:
            x (Tensor): Maps of shape (N, C, H, W).

        Returns:
            Tensor: Maps of shape (N, C, ceil(H / 2), ceil(W / 2)).
        """
        if self.filter is not None:
            rows = _halve(x, self.filter, dim=2)
            return _halve(rows, self.filter, dim=3)
        if _has_open_sizes(x):
            return _haar_of_any_size(x)
        # A window that crosses the border averages the pixels inside, which
        # equals repeating the last row or column.
        return 2 * F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)

    def extra_repr(self) -> str:
        """Name the wavelet in ``print(module)``."""
        return f'wavelet={self.wavelet!r}'


class ForgetGate(LowPass):
    """Bring a memory to the level of the unit that reads it next.

    Down a level only the low-low band is kept. Up a level, in a decoder, the
    inverse transform takes the memory for that band and the others for zero:
    it equals PyWavelets' ``idwt2``, and undoes the doubling of the way down.

    Args:
        levels (int): How many levels to go down, or up if negative. Defaults
            to 0, which returns the memory unchanged.
        wavelet (str): See :class:`LowPass`. Defaults to ``'haar'``.

    Example:
        >>> ForgetGate(levels=2)(torch.ones(1, 1, 4, 4))
        tensor([[[[4.]]]])
        >>> ForgetGate(levels=-1)(torch.ones(1, 1, 1, 2))
        tensor([[[[0.5000, 0.5000, 0.5000, 0.5000],
                  [0.5000, 0.5000, 0.5000, 0.5000]]]])
    """

    def __init__(self, levels: int = 0, wavelet: str = 'haar') -> None:
        super().__init__(wavelet)
        self.levels = levels
        self.inverse = low_pass_filter(wavelet, inverse=True)

    def forward(self, memory: Tensor) -> Tensor:
        """Change the level.

        Args:
            memory (Tensor): Memory of shape (N, C, H, W).

        Returns:
            Tensor: The memory at its new level.
        """
        for _ in range(self.levels):
            memory = super().forward(memory)
        for _ in range(-self.levels):
            memory = self._up(memory)
        return memory

    def _up(self, memory: Tensor) -> Tensor:
        if self.inverse is None:
            rows = memory.repeat_interleave(2, dim=3)
            return 0.5 * rows.repeat_interleave(2, dim=2)
        rows = _double(memory, self.inverse, dim=3)
        return _double(rows, self.inverse, dim=2)

    def extra_repr(self) -> str:
        """Name levels and wavelet in ``print(module)``."""
        return f'levels={self.levels}, {super().extra_repr()}'


def _haar_of_any_size(x: Tensor) -> Tensor:
    """Compute the Haar band without asking whether sizes are even.

    Pooling with ``ceil_mode`` would guard on it. A strided convolution does
    not: the last row and column are always repeated, and where a size is even
    no window reaches the repetition.
    """
    channels = x.shape[1]
    window = x.new_full((channels, 1, 2, 2), 0.5)
    x = F.pad(x, (0, 1, 0, 1), mode='replicate')
    return F.conv2d(x, window, stride=2, groups=channels)


def _halve(x: Tensor, factors: Sequence[float], dim: int) -> Tensor:
    """Filter and decimate one axis: y_k = sum_j f_j x_(2k + F/2 - j)."""
    size = x.size(dim)
    # Rounded up, by the expression in which exporters know strided sizes.
    half = (size - 1) // 2 + 1
    # The signal is periodic, with an even period: where the size is odd, the
    # last sample is repeated to fill it.
    period = torch.full((), 2 * half, device=x.device)
    start = 2 * torch.arange(half, device=x.device) + len(factors) // 2
    total: Tensor | None = None
    for j, factor in enumerate(factors):
        position = ((start - j) % period).clamp(max=size - 1)
        part = factor * x.index_select(dim, position)
        total = part if total is None else total + part
    assert total is not None
    return total


def _double(y: Tensor, factors: Sequence[float], dim: int) -> Tensor:
    """Undo :func:`_halve`: x_i = sum_k g_(i - 2k + F/2 - 1) y_k."""
    phases = []
    for first in range(2):  # samples first, first + 2, ...
        offset = first + len(factors) // 2 - 1
        total: Tensor | None = None
        for j in range(offset % 2, len(factors), 2):
            part = factors[j] * y.roll((j - offset) // 2, dim)
            total = part if total is None else total + part
        assert total is not None
        phases.append(total)
    return torch.stack(phases, dim + 1).flatten(dim, dim + 1)


def _has_open_sizes(x: Tensor) -> bool:
    """Tell whether an exporter keeps height or width dynamic."""
    if any(isinstance(size, torch.SymInt) for size in x.shape[2:]):
        return True
    compiler = torch.compiler  # Dynamo shows dynamic sizes as plain ints
    if not hasattr(compiler, 'is_exporting'):  # before PyTorch 2.7
        return False
    return compiler.is_exporting() and compiler.is_dynamo_compiling()
