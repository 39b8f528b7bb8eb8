"""Try a network with memory, if it can on meta tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from mlfm_mm.models import MLFMNeck
from mlfm_mm.models.taps.flow import tensors_in

from .networks import Network
from .outcomes import FAILED, HELD, NOT_RUN, REFUSED, Outcome

# Errors that all backbones of a class raise, whatever their size.
BY_KIND = re.compile(
    r'passes tokens |takes clips|'
    r"missing \d required .*'(mask|encoder_stride)'"
)
# In pixels: the size that most networks take, then those that some need.
SIZES = (256, 224, 512, 384, 32)


def attempt(source: str, network: Network) -> Outcome:
    """Try one network.

    Args:
        source (str): The host or library.
        network (Network): The network.

    Returns:
        Outcome: The outcome.
    """
    found = attempt_on('meta', source, network)
    if found.verdict == NOT_RUN and 'meta' in found.why:
        # It computes with numbers that are no weights.
        return attempt_on('cpu', source, network)
    return found


def attempt_on(device: str, source: str, network: Network) -> Outcome:
    """Try one network on meta tensors, or on a CPU."""

    def outcome(verdict: str, error: Exception) -> Outcome:
        words = ' '.join(str(error).split())
        words = re.sub(r'/\S*/site-packages', '...', words)
        why = f'{type(error).__name__}: {words}'[:300]
        return Outcome(source, network.kind, network.example, verdict, why)

    failure, neck = None, MLFMNeck()
    try:
        model = build(network, True, device)
        neck = next(m for m in model.modules() if isinstance(m, MLFMNeck))
    except Exception as error:  # whatever a network may raise
        failure = error
        if BY_KIND.search(str(error)):
            return outcome(REFUSED, error)
    try:
        plain = build(network, False, device)
        size, expected = first_size(plain, device)
    except Exception as error:
        return outcome(NOT_RUN, error)
    try:
        if failure is not None:
            raise failure
        check(model, neck, size, expected, device)
    except Exception as error:
        by_neck = 'MLFMNeck' in str(error)
        return outcome(REFUSED if by_neck else FAILED, error)
    return Outcome(
        source,
        network.kind,
        network.example,
        HELD,
        taps=' '.join(tap.module for tap in neck.taps),
        strides=' '.join(str(tap.reduction) for tap in neck.taps),
        added=str(count(neck.units)),
        share=f'{100 * count(neck.units) / count(plain):.1f}',
    )


def attempt_all(source: str, networks: Iterable[Network]) -> Iterator[Outcome]:
    """Try networks; of a kind that is refused as a whole only the first."""
    refused: dict[str, Outcome] = {}
    for network in networks:
        known = refused.get(network.kind)
        if known is None:
            found = attempt(source, network)
            if BY_KIND.search(found.why):
                refused[network.kind] = found
        else:
            found = replace(known, example=network.example)
        yield found


def build(network: Network, memory: bool, device: str) -> nn.Module:
    """Build a network whose weights are on a device, perhaps meta tensors."""
    try:
        with torch.device(device):
            return network.build(memory)
    except Exception as error:
        if BY_KIND.search(str(error)):
            raise
        # Some read the values of their weights while they are built.
        return network.build(memory).to(device)


def first_size(model: nn.Module, device: str) -> tuple[int, list[torch.Size]]:
    """Find an image size that a plain model takes."""
    for size in SIZES:
        try:
            return size, [t.shape for t in outputs(model, size, device)]
        except Exception as error:
            last = error
    raise last


def outputs(model: nn.Module, size: int, device: str) -> list[Tensor]:
    """Run a model on two images in training."""
    convs = (m for m in model.modules() if isinstance(m, nn.Conv2d))
    first = next(convs, None)
    channels = first.in_channels if first and first.in_channels < 5 else 3
    nn.Module.train(model)
    image = torch.zeros(2, channels, size, size, device=device)
    return tensors_in(model(image, mode='tensor'))


def check(
    model: nn.Module,
    neck: MLFMNeck,
    size: int,
    expected: list[torch.Size],
    device: str,
) -> None:
    """Compare a model with memory with the plain one.

    Args:
        model (nn.Module): The model with memory.
        neck (MLFMNeck): Its neck.
        size (int): The image size in pixels.
        expected (list[torch.Size]): What the plain model returned.
        device (str): Where both are.

    Raises:
        AssertionError: Shapes, gradients or resolutions are not as required.
    """
    out = outputs(model, size, device)
    shapes = [tensor.shape for tensor in out]
    assert shapes == expected, f'returns {shapes}, not {expected}'
    torch.stack([tensor.sum() for tensor in out]).sum().backward()
    weights = neck.units.named_parameters()
    dead = [name for name, weight in weights if weight.grad is None]
    assert not dead, f'no gradient reaches {", ".join(dead)}'
    levels = [tap.level for tap in neck.taps]
    whole = list(range(levels[0], levels[-1] + 1))
    assert sorted(set(levels)) == whole, f'levels {levels} miss a resolution'


def count(module: nn.Module) -> int:
    """Count parameters."""
    return sum(parameter.numel() for parameter in module.parameters())
