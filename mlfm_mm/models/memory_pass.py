"""What flows from tap to tap in one forward pass, and how sizes meet in it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .low_pass import LowPass
from .taps import Tap
from .torch_internals import is_traced


class MemoryPass:
    """The memory and the image's bands, in one forward pass of a backbone.

    Args:
        image (Tensor): The image, of shape (N, image_channels, H, W).
        low_pass (LowPass): Makes a band of the one before.
        deepest (int): The last level whose band is read.

    Example:
        >>> state = MemoryPass(torch.ones(1, 3, 8, 6), LowPass(), deepest=2)
        >>> [tuple(band.shape[2:]) for band in state.bands]
        [(8, 6), (4, 3), (2, 2)]
    """

    def __init__(self, image: Tensor, low_pass: LowPass, deepest: int) -> None:
        self.bands = [image]
        for _ in range(deepest):
            self.bands.append(low_pass(self.bands[-1]))
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
            band = meet(self.bands[tap.level], x, tap)
            return band, band
        memory = meet(self.memory, x, tap)
        if not reads_image:
            return memory, None
        return memory, meet(self.bands[tap.level], x, tap)

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

    def hand_on(self, memory: Tensor) -> None:
        """Keep the memory for the next tap."""
        self.memory = memory
        self.next_tap += 1


class CurrentPass(threading.local):
    """The pass under way, one for each thread that runs the model."""

    state: MemoryPass | None = None
    is_complete = False  # whether it met every tap

    def __reduce__(self) -> tuple:
        # A copy of a model has no pass under way.
        return type(self), ()


def meet(source: Tensor, x: Tensor, tap: Tap) -> Tensor:
    """Bring a band or a memory to the size of the feature at a tap.

    The low-pass rounds sizes up, as padded strided convolutions do. Patches
    round down (a patch of 4 makes 56 of 225), which drops the last pixels:
    so does this function. Where the sizes do not fit even if the strides
    divide the image (a valid convolution makes 127 of 256), it resamples.
    A tap is of one kind or the other for good, so that compilers and
    exporters see no branch that depends on a shape.

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
        if source.shape[2] < size[0] or source.shape[3] < size[1]:
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
    gaps = [(abs(a - b), b) for a, b in zip(size, wanted, strict=True)]
    if any(gap > max(2, side // 2) for gap, side in gaps):
        raise ValueError(
            f'At tap {tap.module!r} the memory of size {size} cannot meet '
            f'the feature of size {wanted}: the stride was {tap.reduction} '
            'when the neck was bound. Tap only modules whose output size '
            'follows the image size.'
        )


def check_image(image: object, channels: int, taps: Sequence[Tap]) -> None:
    """Refuse what cannot be an image for the taps.

    Args:
        image (object): What the backbone was given.
        channels (int): The number of channels that the units expect.
        taps (Sequence[Tap]): The taps; at the deepest the memory is smallest.

    Raises:
        TypeError: ``image`` is not a floating-point tensor.
        ValueError: It has the wrong shape or is too small.
    """
    if isinstance(image, fx.Proxy):
        raise TypeError(
            'torch.fx.symbolic_trace leaves out the forward hooks of '
            "PyTorch's own modules, by which MLFMNeck works: use "
            'torch.export.export or torch.compile instead.'
        )
    if not isinstance(image, Tensor) or not image.is_floating_point():
        kind = getattr(image, 'dtype', type(image).__name__)
        raise TypeError(
            f'MLFMNeck got {kind} as the input of the backbone, and needs a '
            'floating-point tensor of shape (N, C, H, W); let the '
            'data_preprocessor normalize the images, or convert them by '
            '`.float()`.'
        )
    if image.dim() != 4 or image.shape[1] != channels:
        raise ValueError(
            f'MLFMNeck got an input of shape {tuple(image.shape)}, and needs '
            f'(N, {channels}, H, W).'
        )
    deepest = max(taps, key=lambda tap: tap.level)
    # The last low-pass needs two pixels, or there is no low band to keep.
    smallest = 2 ** (deepest.level - 1) + 1 if deepest.level else 1
    if min(image.shape[-2:]) < smallest:
        raise ValueError(
            f'An image of {image.shape[-2]}x{image.shape[-1]} pixels is too '
            f'small: its memory is low-passed {deepest.level} times down to '
            f'tap {deepest.module!r}, so height and width must be at least '
            f'{smallest}.'
        )


# ---- texts of errors ------------------------------------------------------


def replica() -> str:
    """Explain that DataParallel cannot work."""
    return (
        'nn.DataParallel copies a model in each pass, and the copies call the '
        "original's neck on another device: use DistributedDataParallel, "
        'one process a GPU, as tools/dist_train.sh does.'
    )


def out_of_turn(
    tap: Tap, state: MemoryPass | None, taps: Sequence[Tap]
) -> str:
    """Explain that a tap was called when it was not its turn."""
    if state is None:
        return (
            f'Tap {tap.module!r} was called outside a forward pass of the '
            'whole backbone. If a stage that holds it is recomputed by '
            'activation checkpointing, checkpoint its blocks (with_cp=True) '
            'or the whole backbone instead.'
        )
    return (
        f'Tap {tap.module!r} was called when {taps[state.next_tap].module!r} '
        'was next: the backbone no longer runs as it did when the neck was '
        'bound. Change a backbone before the model is built, not after.'
    )


def half_recorded(tap: Tap) -> str:
    """Explain that a part of a pass runs without gradients."""
    return (
        f'At tap {tap.module!r} gradients are '
        f'{"on" if torch.is_grad_enabled() else "off"}, unlike at the start '
        'of the backbone, so the memory would lose its gradient silently. '
        'Reentrant activation checkpointing of a stage that holds a tap does '
        'this: checkpoint with use_reentrant=False, its blocks '
        '(with_cp=True) or the whole backbone instead.'
    )


def single_value(tap: Tap, x: Tensor) -> str:
    """Explain that batch norm cannot measure a single value."""
    return (
        f'At tap {tap.module!r} a training batch comes down to one value a '
        f'channel (a feature of shape {tuple(x.shape)}), of which batch norm '
        'can measure no moments: train with two images a batch or more '
        '(drop_last=True for the last one), with larger images, or with '
        "norm_cfg=dict(type='GN', num_groups=...) in MLFMNeck."
    )


def unmet(state: MemoryPass | None, taps: Sequence[Tap], kind: str) -> str:
    """Explain that a pass of the backbone did not meet all taps."""
    index = 0 if state is None else state.next_tap
    left = ', '.join(tap.module for tap in taps[index:])
    return (
        f'The forward pass of this {kind} did not meet the taps {left}, to '
        'which the neck was bound. Was a tapped module replaced after the '
        'model was built? Build the model anew with the final backbone.'
    )


def unseen(kind: str) -> str:
    """Warn of features that may be without memory."""
    return (
        f'MLFMNeck was given features before its {kind} ever ran, so they '
        'came from elsewhere: from a cache, or from a backbone that replaced '
        'it and has no memory.'
    )


def not_adopted() -> str:
    """Explain that a neck is used without a backbone."""
    return (
        'This MLFMNeck serves no backbone. Assign it to a model that has '
        'one, `self.backbone = ...; self.neck = ...`, as OpenMMLab models '
        'do, directly or inside a list of necks.'
    )
