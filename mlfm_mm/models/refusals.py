"""Checks of options and input, and the texts of errors in a forward pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from inspect import signature
from logging import WARNING
from typing import TYPE_CHECKING

import torch
from mmengine.logging import print_log
from torch import Tensor, fx

if TYPE_CHECKING:
    from .memory_pass import MemoryPass
    from .taps import Tap


def check_flags(**flags: object) -> None:
    """Refuse an option that a command line gave as a word, such as ``'no'``.

    Raises:
        ValueError: One is a word, which would count as True.
    """
    for name, value in flags.items():
        if isinstance(value, str):
            raise ValueError(f'{name}={value!r} must be True or False.')


def check_configs(**configs: object) -> None:
    """Refuse the bare name of a norm or an activation.

    Raises:
        TypeError: One is a string.
    """
    for name, cfg in configs.items():
        if isinstance(cfg, str):
            raise TypeError(
                f'{name}={cfg!r} is a string: give a config, '
                f'{name}=dict(type={cfg!r}).'
            )


def check_image(image: object, channels: int, taps: Sequence[Tap]) -> None:
    """Check the image that the backbone is given.

    Args:
        image (object): What the backbone was given.
        channels (int): The number of channels that the units expect.
        taps (Sequence[Tap]): The taps; at the deepest the memory is smallest.

    Raises:
        TypeError: ``image`` is not a floating-point tensor.
        ValueError: It has the wrong shape or is too small.
    """
    check_proxy(image)
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
            f'(N, {channels}, H, W); for images of other channels give it '
            '`image_channels`.'
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


def check_proxy(x: object) -> None:
    """Refuse to be traced by torch.fx.

    Args:
        x (object): An image or a feature.

    Raises:
        TypeError: It is a proxy.
    """
    if isinstance(x, fx.Proxy):
        raise TypeError(
            'torch.fx.symbolic_trace leaves out the forward hooks of '
            "PyTorch's own modules, by which MLFMNeck works: use "
            "torch.export.export or torch.compile instead. For MMEngine's "
            'efficient_conv_bn_eval, list modules that hold no tap.'
        )


# ---- texts of errors ------------------------------------------------------


def left_over(names: Iterable[str], neck: type) -> str:
    """Explain that a config gives what a neck does not take."""
    known = signature(neck).parameters
    near = {n: get_close_matches(n, known, 1, 0.9) for n in names}
    text = f'MLFMNeck has no argument {", ".join(map(repr, near))}. '
    meant = [match for matches in near.values() for match in matches]
    if meant:
        text += f'Did you mean {", ".join(map(repr, meant))}? '
    return text + (
        "To keep a base config's neck behind it: `neck=dict(_delete_=True, "
        "type='mlfm_mm.MLFMNeck', neck={{_base_.model.neck}})`."
    )


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
            "or the whole backbone instead. If the backbone's first module, "
            'which is given the image, was replaced after the model was '
            'built, build the model anew with the final backbone.'
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


def blind(tap: str) -> str:
    """Warn of a network that cannot tell its images apart."""
    return (
        f'The norm of the last unit gives each channel of tap {tap!r} the '
        'same mean for all images, and global pooling returns these means: '
        'the network would see nothing. Give MLFMNeck batch norm, a GN of '
        'fewer groups, identity_init=True, or taps that end earlier.'
    )


def unseen(kind: str) -> str:
    """Warn of features that may be without memory."""
    return (
        f'MLFMNeck was called more often than its {kind} has run. These '
        'features are without memory if they come from a backbone that '
        'replaced it, or whose forward hooks were removed.'
    )


def in_training(kind: str) -> str:
    """Warn of a backbone in evaluation whose units still train."""
    return (
        f'This {kind} is in evaluation and the units of its MLFMNeck are in '
        'training: they normalize by the batch and update their running '
        'moments. Call eval() on the model or on the neck, too.'
    )


def warn_once(told: set[str], text: str) -> None:
    """Warn, unless it was told before."""
    if text not in told:
        told.add(text)
        print_log(text, 'current', WARNING)


def not_adopted() -> str:
    """Explain that a neck is used without a backbone."""
    return (
        'This MLFMNeck serves no backbone. Assign it to a model that has '
        'one, `self.backbone = ...; self.neck = ...`, as OpenMMLab models '
        'do, directly or inside a list of necks. In a retriever, assign an '
        'ImageClassifier of both to `image_encoder`.'
    )
