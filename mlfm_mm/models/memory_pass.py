"""What flows from tap to tap in one forward pass, and how sizes meet in it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from inspect import signature
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .kernels import choose_low_pass
from .refusals import half_recorded, single_value
from .torch_internals import is_traced

if TYPE_CHECKING:
    from .low_pass import LowPass
    from .taps import Tap


class MemoryPass:
    """The memory and the image's bands, in one forward pass of a backbone.

    Args:
        image (Tensor): The image, of shape (N, image_channels, H, W).
        low_pass (LowPass): Makes a band of the one before.
        deepest (int): The last level whose band is read.
        reads_image (bool): Whether the image itself, level 0, is read.
        kernels (str | bool): See :class:`LFMU`. Defaults to ``'auto'``.

    Example:
        >>> from mlfm_mm import LowPass
        >>> state = MemoryPass(torch.ones(1, 3, 8, 6), LowPass(), 2, False)
        >>> [tuple(band.shape[2:]) for band in state.bands]
        [(8, 6), (4, 3), (2, 2)]
    """

    def __init__(
        self,
        image: Tensor,
        low_pass: LowPass,
        deepest: int,
        reads_image: bool,
        kernels: str | bool = 'auto',
    ) -> None:
        halve: Callable[[Tensor], Tensor] = low_pass
        if kernels == 'auto':
            halve = choose_low_pass(low_pass, image)
        # The stem may change its image in-place before a unit reads it.
        self.bands = [image.clone() if reads_image else image]
        for _ in range(deepest):
            self.bands.append(halve(self.bands[-1]))
        self.memory: Tensor | None = None
        self.next_tap = 0
        self.grad_enabled = torch.is_grad_enabled()

    def read(
        self, tap: Tap, x: Tensor, reads_image: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Bring the memory and the image's band to a tap.

        Args:
            tap (Tap): The tap.
            x (Tensor): The trunk's feature there.
            reads_image (bool): Whether its unit has a supplement gate.

        Returns:
            tuple[Tensor, Tensor | None]: Memory and band, of the feature's
            size. The memory of the first unit is the band itself.

        Raises:
            ValueError: They cannot meet the feature.
        """
        if self.memory is None:
            band = match_size(self.bands[tap.level], x, tap)
            return band, band
        memory = match_size(self.memory, x, tap)
        if not reads_image:
            return memory, None
        return memory, match_size(self.bands[tap.level], x, tap)

    def check_training(self, tap: Tap, unit: nn.Module, x: Tensor) -> None:
        """Refuse a unit that could not learn from what it is given.

        Args:
            tap (Tap): The tap.
            unit (nn.Module): Its unit, in training.
            x (Tensor): The trunk's feature there.

        Raises:
            RuntimeError: A part of the pass runs without gradients.
            ValueError: A batch norm would have to measure a single value.
        """
        if self.grad_enabled != torch.is_grad_enabled():
            raise RuntimeError(half_recorded(tap))
        if x.numel() == x.shape[1] and any(
            isinstance(module, _BatchNorm) and module.training
            for module in unit.modules()
        ):
            raise ValueError(single_value(tap, x))

    def write(self, memory: Tensor) -> None:
        """Keep the memory for the next tap."""
        self.memory = memory
        self.next_tap += 1


class CurrentPass(threading.local):
    """The pass under way, one for each thread that runs the model."""

    state: MemoryPass | None = None
    is_complete = False  # whether it met every tap
    _waiting = 0  # outputs with memory that the neck was not given yet

    def end(self) -> tuple[MemoryPass | None, bool]:
        """Forget the pass; return it, and whether it met every tap."""
        state, is_complete = self.state, self.is_complete
        self.state, self.is_complete = None, False
        if is_complete:
            # A count would differ at each pass, and be compiled anew.
            self._waiting = 1 if is_traced() else self._waiting + 1
        return state, is_complete

    def take(self) -> bool:
        """Take an output; tell whether there was one."""
        found = self._waiting > 0
        self._waiting -= found
        return found

    def __reduce__(self) -> tuple:
        # A copied or unpickled model is not in the middle of a pass.
        return type(self), ()


def image_of(module: nn.Module, args: tuple, kwargs: dict | None) -> Tensor:
    """Find the image among what a module is called with.

    Args:
        module (nn.Module): The module.
        args (tuple): The positional arguments.
        kwargs (dict, optional): The others.

    Returns:
        Tensor: The first argument of its ``forward``, if it is among them.
    """
    if args:
        return args[0]
    given = kwargs or {}
    # A single argument is the image; compilers need not trace signature().
    if len(given) > 1:
        names = signature(module.forward).parameters
        given = {name: given[name] for name in names if name in given} | given
    return next(iter(given.values()))


def match_size(source: Tensor, x: Tensor, tap: Tap) -> Tensor:
    """Bring a band or a memory to the size of the feature at a tap.

    The low-pass rounds sizes up, as padded strided convolutions do. Patch
    embeddings round down (a patch of 4 turns 225 pixels into 56) and drop the
    last pixels; so does this function. Where sizes differ even though the
    strides divide the image (an unpadded convolution turns 256 into 127), it
    resamples. Which of the two applies is fixed for each tap when the neck is
    bound, so that compilers and exporters see no shape-dependent branch.

    Args:
        source (Tensor): Maps of shape (N, M, H', W').
        x (Tensor): The trunk's feature, (N, C, H, W).
        tap (Tap): The tap.

    Returns:
        Tensor: Maps of shape (N, M, H, W).

    Raises:
        ValueError: The sizes differ by more than a level of resolution, or
            the feature has another number of images.
    """
    size = x.shape[2:]
    if not is_traced():
        _check_batch(source, x, tap)
        if source.shape[2:] == size:
            return source
        _check_sizes(source, x, tap)
        sides = zip(source.shape[2:], size, strict=True)
        if any(not b <= a <= b + 2 for a, b in sides):  # no mere rounding
            return _resample(source, size)
    if tap.aligned:
        return source[..., : size[0], : size[1]]
    return _resample(source, size)


def _resample(x: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(x, size=size, mode='bilinear', align_corners=False)


def _check_batch(source: Tensor, x: Tensor, tap: Tap) -> None:
    if len(source) != len(x):
        raise ValueError(
            f'At tap {tap.module!r} the feature of shape {tuple(x.shape)} '
            f'holds {len(x)} images, but the memory of shape '
            f'{tuple(source.shape)} holds {len(source)}: a backbone that '
            'changes the batch on its way, such as TridentNet in training, '
            'can have units only where the batch is that of the images; '
            'list such modules in `taps`.'
        )


def _check_sizes(source: Tensor, x: Tensor, tap: Tap) -> None:
    size, wanted = tuple(source.shape[2:]), tuple(x.shape[2:])
    pairs = [sorted(pair) for pair in zip(size, wanted, strict=True)]
    if any(b - a > 2 and b >= 2 * a for a, b in pairs):
        raise ValueError(
            f'At tap {tap.module!r} the memory of size {size} cannot meet '
            f'the feature of size {wanted}: the stride was {tap.reduction} '
            'when the neck was bound. Tap only modules whose output follows '
            'the image size, even for images as small as this one: list those '
            'in `taps`.'
        )
