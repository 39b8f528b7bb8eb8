"""The state of one forward pass, and how sizes meet in it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import Node

from .taps import Tap
from .tracing import traced


class ForwardPass:
    """What one forward pass carries from tap to tap.

    Args:
        image (Tensor): The image, of shape (N, image_channels, H, W).
    """

    def __init__(self, image: Tensor) -> None:
        self.image = self.memory = image
        self.bands = [image]  # by level
        self.maker: Node | None = None  # of the memory, in the graph
        self.next_tap = 0
        self.grad_enabled = torch.is_grad_enabled()


class PassSlot:
    """Where the pass under way is kept, and whether it met every tap."""

    def __init__(self) -> None:
        self.current: ForwardPass | None = None
        self.complete = False

    def __reduce__(self) -> tuple:
        # A copy of a model has no pass under way.
        return type(self), ()


class ThreadPassSlot(PassSlot, threading.local):
    """A slot for each thread, so that threads can share a model."""


class PassSlots:
    """The slots of a neck.

    The main thread has a plain one, the only kind that compilers follow; so
    a pass may begin in compiled code and go on in eager code.
    """

    def __init__(self) -> None:
        self.main = PassSlot()
        self.others = ThreadPassSlot()

    def mine(self) -> PassSlot:
        """Give the slot of the running thread."""
        if torch.compiler.is_compiling():
            return self.main
        if threading.current_thread() is threading.main_thread():
            return self.main
        return self.others


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


def is_private(module: nn.Module, unit: nn.Module) -> bool:
    """Tell whether nobody but the neck is shown the map at a tap.

    Args:
        module (nn.Module): The tapped module, on which the neck has a hook.
        unit (nn.Module): The unit that is given the map.

    Returns:
        bool: Whether no other hook, on them or on all modules, can keep it.
    """
    everywhere = nn.modules.module
    return len(module._forward_hooks) == 1 and not (
        unit._forward_hooks
        or unit._forward_pre_hooks
        or everywhere._global_forward_hooks
        or everywhere._global_forward_pre_hooks
    )


def meet(x: Tensor, size: torch.Size, tap: Tap) -> Tensor:
    """Bring a band or a memory to the size of the feature at a tap.

    The low-pass rounds sizes up, as padded strided convolutions do. Patches
    round down (a patch of 4 makes 56 of 225), which drops the last pixels:
    so does this function. Where the sizes do not fit even if the strides
    divide the image (a valid convolution makes 127 of 256), it resamples.
    A tap is of one kind or the other for good, so that compilers and
    exporters see no branch that depends on a shape.

    Args:
        x (Tensor): Maps of shape (N, C, H, W).
        size (torch.Size): Height and width of the trunk's feature.
        tap (Tap): The tap.

    Returns:
        Tensor: Maps of shape (N, C, H', W').

    Raises:
        ValueError: The sizes differ by more than a level of resolution.
    """
    height, width = size
    if not traced():
        if x.shape[-2:] == size:
            return x
        _check_sizes(x, size, tap)
        if x.shape[-2] < height or x.shape[-1] < width:
            return _resample(x, size)
    if tap.aligned:
        return x[..., :height, :width]
    return _resample(x, size)


def _resample(x: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(x, size=size, mode='bilinear', align_corners=False)


def _check_sizes(x: Tensor, feature: torch.Size, tap: Tap) -> None:
    size, wanted = tuple(x.shape[-2:]), tuple(feature)
    gaps = [(abs(a - b), b) for a, b in zip(size, wanted, strict=True)]
    if any(gap > max(2, side // 2) for gap, side in gaps):
        raise ValueError(
            f'At tap {tap.module!r} the memory of size {size} cannot meet '
            f'the feature of size {wanted}: the stride was {tap.reduction} '
            'when the neck was bound. Tap only modules whose output size '
            'follows the image size.'
        )


def out_of_turn(
    tap: Tap, state: ForwardPass | None, taps: Sequence[Tap]
) -> str:
    """Explain that a tap was called when it was not its turn.

    Args:
        tap (Tap): The tap that was called.
        state (ForwardPass, optional): The pass under way, if any.
        taps (Sequence[Tap]): All taps.

    Returns:
        str: The message of the error to raise.
    """
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
    """Explain that a part of a pass runs without gradients.

    Args:
        tap (Tap): The tap at which the mode was found changed.

    Returns:
        str: The message of the error to raise.
    """
    return (
        f'At tap {tap.module!r} gradients are '
        f'{"on" if torch.is_grad_enabled() else "off"}, unlike at the start '
        'of the backbone, so the memory would lose its gradient silently. '
        'Reentrant activation checkpointing of a stage that holds a tap does '
        'this: checkpoint with use_reentrant=False, its blocks '
        '(with_cp=True) or the whole backbone instead.'
    )


def unmet(backbone: Sequence[nn.Module], taps: Sequence[Tap]) -> str:
    """Explain that a neck is used without the features of its taps.

    Args:
        backbone (Sequence[nn.Module]): The backbone, or nothing.
        taps (Sequence[Tap]): The taps on it.

    Returns:
        str: The message of the error to raise.
    """
    if not backbone:
        return (
            'This MLFMNeck serves no backbone. Assign it to a model that has '
            'one, `self.backbone = ...; self.neck = ...`, as OpenMMLab models '
            'do, directly or inside a list of necks.'
        )
    return (
        'The neck was called, but the forward pass before it did not meet '
        f'the taps {", ".join(tap.module for tap in taps)} of the '
        f'{type(backbone[0]).__name__} it was bound to. Was the backbone, or '
        'a tapped module, replaced after the model was built? Build the '
        'model anew with the final backbone. Was a backbone of this kind '
        'without memory compiled before? Compile with torch._dynamo.config.'
        'skip_nnmodule_hook_guards = False, or PyTorch uses its graph again.'
    )
