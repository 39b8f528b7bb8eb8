"""What a network costs: parameters and multiply-adds."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from inspect import signature

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ..engine import UsageError
from ..models import MLFMNeck
from ..models.taps.dry_run import dry_run


@dataclass(frozen=True)
class Complexity:
    """The size of a network.

    Args:
        params (int): Number of parameters.
        macs (int): Multiply-adds for one image.
    """

    params: int
    macs: int


def measure_complexity(
    model: nn.Module,
    image_size: tuple[int, int],
    channels: int | None = None,
) -> Complexity:
    """Count parameters and multiply-adds.

    The multiply-adds are those of convolutions and matrix products, the
    convention of published figures. The other operations of an LFMU count as
    nothing, so that its share of the time is larger than its share of the
    multiply-adds.

    Args:
        model (nn.Module): The network, left unchanged; it is counted in
            evaluation mode.
        image_size (tuple[int, int]): Height and width of the input.
        channels (int, optional): Channels of the input. Defaults to None,
            those of :func:`image_channels`.

    Returns:
        Complexity: The counts.

    Example:
        >>> measure_complexity(nn.Conv2d(3, 8, 3, padding=1), (10, 10))
        Complexity(params=224, macs=21600)
    """
    # Meta tensors have shapes but no data, so that nothing is computed.
    meta_model = copy.deepcopy(model).to('meta')
    # Some hosts' train() returns None, so that calls cannot be chained.
    meta_model.train(False)
    channels = channels or image_channels(model)
    image = torch.empty(1, channels, *image_size, device='meta')
    # In mmpose's models they have no default.
    takes_samples = 'data_samples' in signature(meta_model.forward).parameters
    inputs = (image, None) if takes_samples else (image,)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        meta_model(*inputs)
    params = sum(p.numel() for p in model.parameters())
    return Complexity(params, counter.get_total_flops() // 2)


def memory_of(model: nn.Module) -> MLFMNeck | None:
    """Find the memory of a network, if it has one; of several the first."""
    found = (m for m in model.modules() if isinstance(m, MLFMNeck))
    return next(found, None)


def backbone_of(model: nn.Module) -> nn.Module:
    """Find the backbone of a network, whatever its host calls it.

    Args:
        model (nn.Module): A classifier, segmentor, retriever, or
            ``TimmClassifier``.

    Returns:
        nn.Module: The backbone.

    Raises:
        UsageError: It has none.
    """
    for name in ('backbone', 'image_encoder.backbone', 'model'):
        try:
            return model.get_submodule(name)
        except AttributeError:
            continue
    raise UsageError(f'{type(model).__name__} has no backbone to look into')


def image_channels(model: nn.Module) -> int:
    """Find out how many channels the images of a network have.

    Args:
        model (nn.Module): The network, with memory or without.

    Returns:
        int: The number; 3 where neither memory nor backbone tells it.

    Example:
        >>> model = nn.Module()
        >>> model.backbone = nn.Sequential(nn.Conv2d(1, 8, 3, 2))
        >>> image_channels(model)
        1
    """
    neck = memory_of(model)
    if neck is not None:
        return neck.image_channels
    try:
        return dry_run(backbone_of(model)).image_channels
    except ValueError:  # also for want of a backbone
        return 3


def dummy(
    model: nn.Module, count: int, channels: int, size: tuple[int, int]
) -> Tensor:
    """Make images of noise on the network's device.

    Args:
        model (nn.Module): The network.
        count (int): How many.
        channels (int): Their channels.
        size (tuple[int, int]): Their height and width.

    Returns:
        Tensor: The images (count, channels, height, width).
    """
    device = next(model.parameters()).device
    # Its own generator: measuring must not change the global random state.
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(count, channels, *size, generator=generator)
    return images.to(device)
